import Glibc
import SwitchTestKit
import SystemPackage

/// Looks at groups that come and go, through the union, and judges each answer by what is known of the time of
/// the look: what was there all the time must be found, what never was must not.
struct ChurnReader {
    let union: TestPath
    let parents: [ChurnPlan.Parent]
    /// The directories that the parents are in, with what is in each all the time.
    let places: [(path: TestPath, permanent: Set<TestPath>)]
    private var random: SeededRandom
    private var kept: [(slot: ChurnSlot, phase: Int, listing: ListingReader)] = []
    /// Answers that could have been wrong.
    private(set) var judged = 0

    init(
        union: TestPath, parents: [ChurnPlan.Parent],
        places: [(path: TestPath, permanent: Set<TestPath>)], seed: UInt64
    ) {
        self.union = union
        self.parents = parents
        self.places = places
        random = SeededRandom(seed: seed)
    }

    /// Returns what is wrong.
    mutating func step() -> String? {
        let parent = parents[random.below(parents.count)]
        let slot = ([parent.slot] + parent.children)[random.below(1 + parent.children.count)]
        switch random.below(12) {
        case 0...4: return stat(slot)
        case 5...7: return read(slot)
        case 8: return list(places[random.below(places.count)])
        case 9, 10: return list(parent)
        default: return random.below(2) == 0 ? keep(parent.slot) : listKept()
        }
    }

    private mutating func stat(_ slot: ChurnSlot) -> String? {
        judge(slot, "stat") {
            try Sys.facts($0).kind == .directory ? nil : "is no directory"
        }
    }

    private mutating func read(_ slot: ChurnSlot) -> String? {
        judge(slot, "read") {
            try Sys.text($0 / "cgroup.procs").isEmpty ? nil : "has processes"
        }
    }

    /// Looks at a group that may be there.
    private mutating func judge(
        _ slot: ChurnSlot, _ what: String, _ look: (TestPath) throws -> String?
    ) -> String? {
        let path = union / slot.path
        let before = slot.phase
        let answer = Result { try look(path) }
        let presence = ChurnSlot.presence(from: before, to: slot.phase)
        if presence != nil { judged += 1 }
        switch answer {
        case .success(let complaint?): return "\(what) of \(slot.path) \(complaint)"
        case .success: return presence == false ? "\(what) finds \(slot.path), which was not there" : nil
        case .failure(let error):
            return wrong(error, presence).map { "\(what) of \(slot.path), \($0)" }
        }
    }

    /// What a look at a group may end with. ENODEV is what reading a removed group's file gives. ESTALE: it was
    /// replaced twice in the time of one look.
    private func wrong(_ error: any Error, _ presence: Bool?) -> String? {
        guard let error = error as? Errno else { return "\(error)" }
        switch presence {
        case true?: return "which was there: \(error.name)"
        case false?: return error == .noSuchFileOrDirectory ? nil : "which was not there: \(error.name)"
        case nil:
            let plausible: [Errno] = [
                .noSuchFileOrDirectory, Errno(rawValue: ENODEV), .staleNFSFileHandle,
            ]
            return plausible.contains(error) ? nil : "which came or went: \(error.name)"
        }
    }

    private mutating func list(_ place: (path: TestPath, permanent: Set<TestPath>)) -> String? {
        let slots = parents.map(\.slot).filter { $0.path.parent == place.path }
        let before = slots.map(\.phase)
        let names: [TestPath]
        do throws(Errno) {
            names = try Sys.names(union / place.path)
        } catch {
            return "listing of \(place.path): \(error.name)"
        }
        judged += 1
        var counts = names.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        for name in place.permanent where counts.removeValue(forKey: name) != 1 {
            return "listing of \(place.path): \(name) is not there once"
        }
        if let wrong = Self.check(slots, before, &counts) { return "listing of \(place.path): \(wrong)" }
        return counts.isEmpty ? nil : "listing of \(place.path) has \(counts.keys.sorted())"
    }

    /// Each of the slots shows once or not at all, as is known; takes them out of the counts.
    private static func check(
        _ slots: [ChurnSlot], _ before: [Int], _ counts: inout [TestPath: Int]
    ) -> String? {
        for (slot, phase) in zip(slots, before) {
            let count = counts.removeValue(forKey: slot.path.name) ?? 0
            if count > 1 { return "\(slot.path.name) is there \(count) times" }
            switch ChurnSlot.presence(from: phase, to: slot.phase) {
            case true? where count == 0: return "\(slot.path.name) is missing"
            case false? where count == 1: return "\(slot.path.name) was not there"
            default: break
            }
        }
        return nil
    }

    private mutating func list(_ parent: ChurnPlan.Parent) -> String? {
        let before = parent.children.map(\.phase)
        return judge(parent.slot, "listing") { path in
            let phase = parent.slot.phase
            var counts = try Sys.names(path).reduce(into: [:]) { $0[$1, default: 0] += 1 }
            guard ChurnSlot.presence(from: phase, to: parent.slot.phase) == true else { return nil }
            return Self.check(parent.children, before, &counts)
                ?? (counts["cgroup.procs"] == 1 ? nil : "lacks its files")
        }
    }

    /// A directory that stays open while its group goes.
    private mutating func keep(_ slot: ChurnSlot) -> String? {
        if kept.count > 3 { kept.remove(at: random.below(kept.count)) }
        let phase = slot.phase
        guard phase % 4 == 2 else { return nil }
        do throws(Errno) {
            let listing = try ListingReader(union / slot.path, bufferSize: 256)
            if slot.phase == phase { kept.append((slot, phase, listing)) }
            return nil
        } catch {
            let presence = ChurnSlot.presence(from: phase, to: slot.phase)
            return wrong(error, presence).map { "opening \(slot.path), \($0)" }
        }
    }

    private mutating func listKept() -> String? {
        guard let (slot, phase, listing) = kept.randomElement(using: &random) else { return nil }
        // Once it is going it may be gone.
        let isGone = slot.phase > phase + 1
        do throws(Errno) {
            try listing.seek(to: 0)
            let names = try listing.rest().map(\.name)
            guard isGone else { return nil }
            judged += 1
            return Set(names).isSubset(of: [".", ".."]) ? nil : "\(slot.path), which is gone, lists \(names)"
        } catch {
            return "listing of \(slot.path) by a kept handle: \(error.name)"
        }
    }
}
