import Glibc
import SwitchTestKit
import Testing

/// open(2) with O_CREAT and without O_EXCL opens the file or makes it, whoever makes and removes it in the layer meanwhile.
@Suite(.serialized, .enabled(if: Machine.canMount, "needs root and /dev/fuse"))
struct OpenOrCreateTests {
    @Test(arguments: ["watch", "check", "ttl"], [true, false])
    func whileItComesAndGoes(mode: String, inLower: Bool) throws {
        let options = ["coherence=\(mode)"] + (inLower ? ["create=lower"] : [])
        try withUnion(options: options) { union throws in
            let file = union["f"]
            let real = try (inLower ? union.lowers[0] : #require(union.upper)) / "f"
            let isOver = Flagged()
            try together([
                {
                    while !isOver.finished {
                        _ = try Sys.open(real, O_RDWR | O_CREAT, mode: 0o644)
                        try? Sys.unlink(real)
                    }
                },
                {
                    defer { isOver.finish() }
                    for _ in 0..<2000 { _ = try Sys.open(file, O_RDWR | O_CREAT, mode: 0o644) }
                },
            ])
        }
    }
}
