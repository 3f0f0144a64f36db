/// The ratios as bars on a logarithmic scale, in SVG: from native, the line at 1, to the median; a thin line shows
/// the range.
struct Plot {
    let title: String
    let results: Results

    private static let left = 150.0
    private static let width = 640.0
    private static let top = 64.0
    private static let bar = 9.0
    private static let gap = 8.0

    private var rows: [Results.Row] { results.rows.filter { $0.isTimed && !$0.timings.isEmpty } }

    private var rowHeight: Double { Double(results.unions.count) * Self.bar + Self.gap }

    private var scale: LogScale {
        let values = rows.flatMap { row in row.timings.values.flatMap { $0.map(\.ratio) } }
        return LogScale(values, width: Self.width)
    }

    var text: String {
        let scale = scale
        let bottom = Self.top + Double(rows.count) * rowHeight
        let size = (Self.left + Self.width + 60, bottom + 34)
        var lines = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(number(size.0)) \(number(size.1))\" "
                + "font-family=\"sans-serif\" font-size=\"11\">",
            "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
            label(10, 18, "Time relative to the native file system: median and range. \(title)", bold: true),
        ]
        lines += legend() + grid(scale, bottom)
        for (index, row) in rows.enumerated() {
            lines += group(row, Self.top + Double(index) * rowHeight, scale)
        }
        return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private func legend() -> [String] {
        var lines: [String] = []
        var x = Self.left
        for system in results.unions {
            lines.append(box(x, 30, 12, 9, Self.colour(system)))
            lines.append(label(x + 16, 38, system.name))
            x += 30 + 6.5 * Double(system.name.count)
        }
        return lines
    }

    private func grid(_ scale: LogScale, _ bottom: Double) -> [String] {
        scale.marks.flatMap { mark in
            let x = Self.left + scale.position(mark)
            let isNative = abs(mark - 1) < 1e-9
            return [
                line(x, Self.top - 4, x, bottom, isNative ? "#000" : "#ddd", isNative ? 1.2 : 0.7),
                label(x, Self.top - 8, Self.plain(mark), anchor: "middle"),
                label(x, bottom + 14, Self.plain(mark), anchor: "middle"),
            ]
        }
    }

    private func group(_ row: Results.Row, _ y: Double, _ scale: LogScale) -> [String] {
        let middle = y + Double(results.unions.count) * Self.bar / 2 + 4
        var lines = [label(Self.left - 8, middle, row.name, anchor: "end")]
        for (index, system) in results.unions.enumerated() {
            guard let summary = Summary((row.timings[system] ?? []).map(\.ratio)) else { continue }
            lines += bars(summary, y + Double(index) * Self.bar, Self.colour(system), scale)
        }
        return lines
    }

    private func bars(_ summary: Summary, _ y: Double, _ colour: String, _ scale: LogScale) -> [String] {
        let native = scale.position(1)
        let median = scale.position(summary.median)
        let least = Self.left + scale.position(summary.minimum)
        let most = Self.left + scale.position(summary.maximum)
        let middle = y + Self.bar / 2
        let start = Self.left + min(native, median)
        return [
            box(start, y + 1, max(abs(median - native), 1), Self.bar - 2, colour),
            line(least, middle, most, middle, "#333", 0.8),
            line(least, middle - 2, least, middle + 2, "#333", 0.8),
            line(most, middle - 2, most, middle + 2, "#333", 0.8),
            label(max(most, Self.left + native) + 4, middle + 3, Format.ratio(summary.median), size: 8),
        ]
    }

    /// Colours that the colour-blind can tell apart.
    private static func colour(_ system: System) -> String {
        switch system {
        case .native: "#000000"
        case .floor: "#009e73"
        case .overlay: "#7f7f7f"
        case .fuseOverlayfs: "#e69f00"
        case .mergerfs: "#56b4e9"
        case .unionfs: "#cc79a7"
        case .switchfs: "#d55e00"
        case .baseline: "#0072b2"
        }
    }

    private static func plain(_ mark: Double) -> String {
        mark >= 1 ? Format.fixed(mark, 0) : Format.fixed(mark, mark >= 0.0999 ? 1 : 2)
    }

    private func number(_ value: Double) -> String { Format.fixed(value, 1) }

    private func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ fill: String) -> String {
        "<rect x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(width))\" height=\"\(number(height))\" "
            + "fill=\"\(fill)\"/>"
    }

    private func line(
        _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ stroke: String, _ width: Double
    ) -> String {
        "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" "
            + "stroke=\"\(stroke)\" stroke-width=\"\(number(width))\"/>"
    }

    private func label(
        _ x: Double, _ y: Double, _ text: String, anchor: String = "start", bold: Bool = false, size: Int = 11
    ) -> String {
        let escaped = text.map { character in
            switch character {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            default: String(character)
            }
        }
        return "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\" font-size=\"\(size)\""
            + (bold ? " font-weight=\"bold\"" : "") + ">\(escaped.joined())</text>"
    }
}
