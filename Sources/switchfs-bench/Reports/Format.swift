import Glibc

/// Numbers for people: three digits that count, no exponents.
enum Format {
    static func ratio(_ value: Double) -> String {
        if value >= 100 { return fixed(value, 0) }
        return fixed(value, value >= 10 ? 1 : 2)
    }

    static func ratio(_ summary: Summary) -> String {
        guard summary.count > 1 else { return ratio(summary.median) }
        return "\(ratio(summary.median)) (\(ratio(summary.minimum))–\(ratio(summary.maximum)))"
    }

    /// A time in the unit that suits it.
    static func time(_ seconds: Double) -> String {
        if seconds < 1e-3 { return ratio(seconds * 1e6) + " µs" }
        if seconds < 1 { return ratio(seconds * 1e3) + " ms" }
        return ratio(seconds) + " s"
    }

    static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return "?" }
        let scale = pow(10, Double(digits))
        let scaled = (abs(value) * scale).rounded()
        guard scaled < 1e15 else { return "\(value)" }
        var text = String(Int(scaled))
        if digits > 0 {
            while text.count <= digits { text = "0" + text }
            text.insert(".", at: text.index(text.endIndex, offsetBy: -digits))
        }
        return (value < 0 && scaled > 0 ? "-" : "") + text
    }
}
