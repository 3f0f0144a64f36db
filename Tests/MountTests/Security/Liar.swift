import Glibc
import SwitchTestKit

/// A filesystem that lies (`Tests/Support/Liar/liar.c`), served by a program that can be killed.
struct Liar {
    let root: TestPath
    private let server: Child

    /// From now on every call gives ENOTCONN.
    func kill() { server.end() }

    /// Serves one while `body` runs.
    static func with(_ body: (Scratch, Liar) throws -> Void) throws {
        try withScratch { scratch in
            let place = try scratch.directory("liar")
            let outside = try Sys.facts(place).device
            let log = try Sys.open(scratch.root / "liar.log", O_WRONLY | O_CREAT)
            let server = try Child([Machine.built("switchfs-liar"), place.text], output: log, errors: log)
            defer {
                try? Sys.unmount(place, lazily: true)
                server.end()
            }
            try eventually("the liar is mounted") { (try? Sys.facts(place).device) ?? outside != outside }
            try body(scratch, Liar(root: place, server: server))
        }
    }
}
