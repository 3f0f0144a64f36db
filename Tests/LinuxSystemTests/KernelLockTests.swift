import LinuxSystem
import Testing

@Suite struct KernelLockTests {
    @Test func tellsProcessesFromOthers() {
        let text = """
            1: POSIX  ADVISORY  WRITE 314 08:1f:1234 10 19
            1: -> POSIX  ADVISORY  READ 315 08:1f:1234 0 EOF
            2: OFDLCK ADVISORY  WRITE -1 08:1f:1234 0 EOF
            3: FLOCK  ADVISORY  WRITE 316 00:2a:77 0 EOF
            4: POSIX  ADVISORY  WRITE 0 08:1f:1234 0 EOF
            5: POSIX  ADVISORY  WRITE 317 <none>:0 0 EOF
            6: POSIX  ADVISORY  WRITE 317 08:1f:1234 9 3
            7: POSIX
            """
        let locks = KernelLock.parse(Array(text.utf8))
        let file = LockedFile(deviceMajor: 8, deviceMinor: 31, inode: 1234)
        #expect(locks.count == 2)
        #expect(locks.allSatisfy { $0.file == file })
        #expect(locks.map(\.process) == [314, 315])
        #expect(locks.map(\.isWaiting) == [false, true])
        #expect(locks.map(\.lock.kind) == [.write, .read])
        #expect(locks.map(\.lock.length) == [10, 0])
    }
}
