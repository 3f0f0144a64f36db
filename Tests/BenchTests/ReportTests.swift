import SwitchTestKit
import Testing

@testable import switchfs_bench

struct ReportTests {
    @Test func summaryOfOddAndEvenCounts() throws {
        let odd = try #require(Summary([5, 1, 3]))
        #expect((odd.minimum, odd.median, odd.maximum) == (1, 3, 5))
        let even = try #require(Summary([4, 1, 2, 10]))
        #expect((even.minimum, even.median, even.maximum) == (1, 3, 10))
        #expect(even.count == 4)
        #expect(Summary([]) == nil)
    }

    @Test func ratioIsToTheFasterNeighbour() {
        #expect(timing(6, native: 2, 3).ratio == 3)
        #expect(timing(6, native: 3, 2).ratio == 3)
    }

    @Test func numbersHaveThreeDigitsThatCount() throws {
        #expect(Format.ratio(1.0449) == "1.04")
        #expect(Format.ratio(0.05) == "0.05")
        #expect(Format.ratio(12.34) == "12.3")
        #expect(Format.ratio(1234.5) == "1235")
        #expect(Format.fixed(-0.5, 1) == "-0.5")
        #expect(Format.time(0.0000123) == "12.3 µs")
        #expect(Format.time(2.5) == "2.50 s")
        #expect(Format.ratio(try #require(Summary([1, 2, 3]))) == "2.00 (1.00–3.00)")
        #expect(Format.ratio(try #require(Summary([2]))) == "2.00")
    }

    @Test func tableColumnsLineUp() {
        var table = Table(header: ["a", "wide"])
        table.rows = [["long word", "1"], ["µs"]]
        #expect(
            table.text == """
                | a         | wide |
                |-----------|------|
                | long word | 1    |
                | µs        |      |
                """)
    }

    @Test func reportShowsRatiosFiguresAndFailures() {
        let text = TextReport(results: results()).text
        #expect(text.contains("| stat          | 2.00 s | 2.00 (1.50–2.50) | failed         |"))
        #expect(text.contains("| idle: switches | 1/s  | 7.00     | –              |"))
        #expect(text.hasSuffix("failed: stat, fuse-overlayfs: no <luck>"))
    }

    @Test func requestsAreListedPassByPass() {
        let counted = CountedWorkload(
            name: "stat", system: .switchfs, passes: [["OPEN": 2, "LOOKUP": 10, "FLUSH": 2], [:]])
        #expect(
            RequestReport(counted: [counted]).text == """
                | requests of switchfs | pass | first what is asked most   |
                |----------------------|------|----------------------------|
                | stat                 | 1    | 10 LOOKUP, 2 FLUSH, 2 OPEN |
                | stat                 | 2    | none                       |
                """)
    }

    @Test func plotDrawsWhatWasMeasured() {
        let plot = Plot(title: "a & b", results: results()).text
        #expect(plot.hasPrefix("<svg ") && plot.hasSuffix("</svg>\n"))
        #expect(plot.contains("a &amp; b"))
        #expect(plot.contains(">stat</text>") && plot.contains(">2.00</text>"))
        #expect(!plot.contains(">idle</text>"))
        #expect(!plot.contains("?"), "every number can be written")
    }

    @Test func equalFactorsAreEqualDistances() {
        let scale = LogScale([0.5, 40], width: 300)
        #expect((scale.lowest, scale.highest) == (0.1, 100))
        #expect(abs(scale.position(1) - 100) < 1e-9)
        #expect(abs(scale.position(10) - 200) < 1e-9)
        #expect(scale.position(1e9) == 300)
        #expect(scale.position(0) == 0)
    }

    @Test func allValuesStandInTheJSON() throws {
        let heading = Heading(
            settings: SystemSettings(switchfs: "switchfs", switchfsOptions: "", baselineOptions: ""),
            systems: [.native], size: .tiny, root: "/")
        let text = try JSONReport(heading: heading, results: results()).text()
        for part in [
            "\"native_after\" : 2", "\"median\" : 2", "no <luck>", "\"switches\"", "\"size\" : \"tiny\"",
        ] {
            #expect(text.contains(part), "\(part)")
        }
    }

    @Test func choosesByNameAndBeginning() throws {
        let names = ["stat-warm", "stat-cold", "open"]
        let pick = { words in
            try Choice.pick(words, of: names, kind: "workload") { $0 }
        }
        #expect(try pick(nil) == names)
        #expect(try pick("open,stat-warm") == ["stat-warm", "open"])
        #expect(try pick("stat*") == ["stat-warm", "stat-cold"])
        #expect(throws: (any Error).self) { try pick("stat") }
    }

    private func timing(_ seconds: Double, native before: Double, _ after: Double) -> Results.Timing {
        Results.Timing(round: 0, seconds: seconds, nativeBefore: before, nativeAfter: after)
    }

    private func results() -> Results {
        var results = Results(systems: [.native, .switchfs, .fuseOverlayfs], workloads: [])
        var stat = Results.Row(name: "stat", summary: "", isTimed: true)
        stat.native = [2, 2, 2]
        stat.timings[.switchfs] = [
            timing(3, native: 2, 2), timing(4, native: 2, 9), timing(5, native: 9, 2),
        ]
        stat.failures[.fuseOverlayfs] = "no <luck>"
        var idle = Results.Row(name: "idle", summary: "", isTimed: false)
        idle.add(Figure(name: "switches", unit: "1/s", value: 7), .switchfs)
        results.rows = [stat, idle]
        return results
    }
}
