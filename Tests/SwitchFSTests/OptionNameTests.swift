import Testing
import UnionCore

@testable import SwitchFS

@Suite("The options by name")
struct OptionNameTests {
    @Test("Policies")
    func policies() throws {
        let options = try MountOptions(
            parsing:
                "create=fallback,mkdir=lower,orphans=hide,whiteout=off,complete=lower,locks=through,ttl=2.5")
        #expect(options.policies.create == .fallback)
        #expect(options.policies.mkdir == .lower)
        #expect(options.policies.orphans == .hide)
        #expect(options.policies.whiteout == .off)
        #expect(options.policies.lowerIsComplete)
        #expect(options.policies.locks == .through)
        #expect(options.policies.timeToLive == 2.5)
    }

    @Test("The mount's coherence is a layer's where it says nothing itself")
    func coherence() throws {
        let options = try MountOptions(parsing: "coherence=ttl,lowerdir=/a:/b=static,upperdir=/u")
        #expect(options.configuration.layers.map(\.coherence) == [.ttl, .ttl, .static])
        #expect(try MountOptions(parsing: "coherence=ttl,coherence=auto").coherence == nil)
    }

    @Test("Server options")
    func server() throws {
        let options = try MountOptions(
            parsing: "passthrough=require,poll=off,fsname=notes,allow_other,nosuid,nodev,noexec,noatime")
        #expect(options.passthrough == .require)
        #expect(options.polling == .off)
        #expect(options.fileSystemName == "notes")
        #expect(options.allowOther == true)
        #expect(options.flags.noSuid && options.flags.noDevices && options.flags.noExecute)
        #expect(try MountOptions(parsing: "allow_other,no_allow_other").allowOther == false)
        #expect(try MountOptions(parsing: "nosuid,suid").flags == GenericFlags())
    }

    @Test(
        "What mount(8) and systemd pass for themselves is ignored",
        arguments: [
            "rw,dev,suid,exec,atime,relatime,_netdev,user,users,nofail,defaults,auto,noauto,async",
            "x-systemd.automount,x-gvfs-show,X-mount.mkdir,user=joe,comment=hi,uhelper=udisks2,subtype=switchfs",
            "", ",", ",,lowerdir=/a,,",
        ])
    func ignored(text: String) throws {
        #expect(try MountOptions(parsing: text).configuration.policies.readOnly == false)
    }

    @Test(
        "overlayfs's own, where they ask for nothing",
        arguments: [
            "redirect_dir=off", "redirect_dir=nofollow", "index=off", "index=on", "metacopy=off", "xino=auto",
            "volatile", "userxattr",
        ])
    func overlayAccepted(text: String) throws {
        _ = try MountOptions(parsing: text)
    }

    @Test(
        "overlayfs's own, refused by name",
        arguments: ["redirect_dir=on", "metacopy=on", "index", "volatile=yes", "nfs_export=on"])
    func overlayRefused(text: String) throws {
        let error = #expect(throws: MountError.self) { try MountOptions(parsing: text) }
        #expect(error?.exitCode == 2)
        #expect(error?.message.contains("'\(text)'") == true)
    }

    @Test(
        "What is wrong is named, with exit code 2",
        arguments: [
            ("bogus", "unknown option 'bogus'"), ("bogus=1", "unknown option 'bogus'"),
            ("create=sideways", "'create': unknown value 'sideways'"), ("create", "'create' needs a value"),
            ("create=", "'create' needs a value"), ("ro=1", "'ro' takes no value"),
            ("ttl=soon", "'ttl': 'soon' is no number"), ("ttl=-1", "'ttl'"), ("ttl=inf", "'ttl'"),
            ("coherence=fast", "known: auto, watch, check, ttl, static"),
            ("passthrough=maybe", "known: auto, off, require"), ("remount", "'remount' is not supported"),
            ("lowerdir=/a::/b", "path is empty"), ("complete=upper", "known: lower, off"),
            ("allow_root", "use allow_other"),
        ])
    func errors(text: String, part: String) {
        let error = #expect(throws: MountError.self) { try MountOptions(parsing: text) }
        #expect(error?.exitCode == 2)
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("\n") == false)
    }

    @Test("A subcommand's option is an item of -o")
    func byName() throws {
        var options = MountOptions()
        try options.apply(option: "lowerdir+", value: "/a:b,c=ro")
        try options.apply(option: "create", value: "lower")
        #expect(options.lowers == [LayerOption("/a:b,c", readOnly: true)])
        #expect(options.policies.create == .lower)
    }
}
