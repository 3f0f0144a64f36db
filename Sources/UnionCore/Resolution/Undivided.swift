internal import Glibc
internal import LinuxSystem
internal import SystemPackage

extension Resolver {
    /// Makes a look that sees a merged directory as it is before its rename or after it. `look` gets the
    /// number of such renames that had begun before it.
    @inline(__always)
    func undivided<R: ~Copyable>(
        _ isConcerned: (MergedRenames.Move) -> Bool, _ look: (_ begun: UInt64) throws(Errno) -> R
    ) throws(Errno) -> R {
        var tries = 0
        while true {
            let before = mergedRenames.now
            if !before.isQuiet, mergedRenames.underWay.contains(where: isConcerned) {
                MergedRenames.pause(tries: tries)
                tries += 1
                continue
            }
            do throws(Errno) {
                let found = try look(before.begun)
                if mergedRenames.now.begun == before.begun { return found }
            } catch {
                if mergedRenames.now.begun == before.begun { throw error }
            }
        }
    }
}
