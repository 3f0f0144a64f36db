import Glibc

/// Places values on a line where equal distances are equal factors.
struct LogScale {
    let lowest: Double
    let highest: Double
    let width: Double

    /// Wide enough for the values, and for 1; from a power of ten to another.
    init(_ values: [Double], width: Double) {
        let usable = values.filter { $0 > 0 && $0.isFinite } + [1]
        lowest = pow(10, floor(log10(usable.min() ?? 1)))
        highest = max(pow(10, ceil(log10(usable.max() ?? 1))), lowest * 10)
        self.width = width
    }

    /// The distance from the left edge; what lies outside is put at the edge.
    func position(_ value: Double) -> Double {
        guard value > 0 else { return 0 }
        let place = log10(value / lowest) / log10(highest / lowest)
        return min(max(place, 0), 1) * width
    }

    /// Where lines are drawn: 1, 2 and 5 times each power of ten.
    var marks: [Double] {
        var marks: [Double] = []
        var power = lowest
        while power < highest * 1.001 {
            marks += [power, 2 * power, 5 * power].filter { $0 <= highest * 1.001 }
            power *= 10
        }
        return marks
    }
}
