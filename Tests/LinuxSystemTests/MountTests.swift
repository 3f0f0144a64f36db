import LinuxSystem
import SystemPackage
import Testing

@Suite("Mounts")
struct MountTests {
    @Test func parsesMountInfo() {
        let text = #"""
            36 35 98:0 /mnt1 /mnt\0402/a\134b rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue
            37 35 0:21 / /proc rw - proc proc rw
            nonsense
            38 35 x:1 / /bad rw - proc proc rw
            39 35 0:22 / /cut rw - proc
            40 35 0:22 / /empty rw - tmpfs  rw
            """#
        let mounts = MountInfo.parse(Array(text.utf8))
        #expect(mounts.map(\.id) == [36, 37, 40])
        #expect(mounts[0].mountPointString == #"/mnt 2/a\b"# && mounts[0].rootString == "/mnt1")
        #expect(mounts[0].deviceMajor == 98 && mounts[0].deviceMinor == 0 && mounts[0].parent == 35)
        #expect(mounts[0].options == "rw,noatime" && mounts[0].superOptions == "rw,errors=continue")
        #expect(mounts[0].fileSystemType == "ext3" && mounts[0].sourceString == "/dev/root")
        #expect(mounts[2].source.isEmpty && mounts[2].superOptions == "rw")
    }

    @Test func listsMounts() throws {
        let mounts = try MountInfo.all()
        #expect(mounts.contains { $0.mountPointString == "/" })
        #expect(mounts.contains { $0.fileSystemType == "proc" })
    }

    @Test(.enabled(if: isRoot, "mounting needs root")) func mountsAndUnmounts() throws {
        let directory = try TestDirectory()
        try directory.root.makeDirectory(at: "a b", mode: 0o755)
        let target = OwnedName(directory.path + "/a b")
        try orSkip([.notPermitted], "may not mount here") { () throws(Errno) in
            try Mounting.mount(
                source: "tmpfs", target: target.ref, type: "tmpfs", flags: [.noDevices, .noSetUser],
                options: "size=64k")
        }
        let mount = try MountInfo.all().last { $0.mountPointString == target.string }
        #expect(mount?.fileSystemType == "tmpfs")
        #expect(mount?.options.contains("nosuid,nodev") == true)
        do {
            let mounted = try directory.root.openPlain("a b", flags: .path)
            #expect(try mounted.descriptor.fileSystem().type == .temporary)
        }
        try Mounting.unmount(target.ref)
        #expect(throws: Errno.invalidArgument) { try Mounting.unmount(target.ref) }
    }

    @Test func mountsByFusermount() throws {
        let directory = try TestDirectory()
        try directory.root.makeDirectory(at: "mount", mode: 0o755)
        let target = OwnedName(directory.path + "/mount")
        let path = target.string
        try orSkip([.notPermitted, .noSuchFileOrDirectory], "no mount by fusermount3") {
            () throws(Errno) in
            let device: OwnedDescriptor
            do throws(MountHelperError) {
                device = try Mounting.mountUnprivileged(target: target.ref, options: "fsname=test")
            } catch {
                throw error.code
            }
            #expect(try device.descriptor.status().kind == .characterDevice)
            #expect(try MountInfo.all().contains { $0.mountPointString == path })
        }
        let nowhere = OwnedName(directory.path + "/none")
        let error = #expect(throws: MountHelperError.self) {
            _ = try Mounting.mountUnprivileged(target: nowhere.ref, options: "fsname=test")
        }
        if error?.code == .notPermitted { #expect(error?.message.contains("/none") == true) }
        // The device is closed: the connection is dead, and nothing waits for an answer.
        try Mounting.unmountUnprivileged(target.ref, lazily: true)
        #expect(throws: Errno.notPermitted) { try Mounting.unmountUnprivileged(target.ref) }
    }
}
