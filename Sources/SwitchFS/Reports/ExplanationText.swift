/// An explanation for people: what `switchfs explain` prints.
public enum ExplanationText {
    /// The explanation's lines, without line ends.
    public static func lines(_ explanation: Explanation) -> [String] {
        let owner = explanation.owner.map { ", owned by layer \($0)" } ?? ""
        var lines = ["\(explanation.path)  \(explanation.kind.rawValue)\(owner)", "", "layers looked at"]
        let width = explanation.layers.map(\.found.rawValue.count).max() ?? 0
        for layer in explanation.layers {
            let note = layer.note.isEmpty ? "" : "  (\(layer.note))"
            lines.append("  \(layer.index)  \(layer.found.rawValue.padded(to: width))  \(layer.path)\(note)")
        }
        lines.append("")
        lines.append("create  \(text(explanation.create))")
        lines.append("mkdir   \(text(explanation.mkdir))")
        lines.append("unlink  \(text(explanation.unlink))")
        lines.append("rename  \(text(explanation.rename))")
        return lines
    }

    private static func text(_ decision: Explanation.Decision) -> String {
        switch decision {
        case .goes(let layer, let path, let reason): "layer \(layer): \(path)  (\(reason))"
        case .fails(let error, let reason): "\(error)  (\(reason))"
        }
    }
}
