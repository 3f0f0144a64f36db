import LinuxSystem
import SwitchFS
import UnionCore

/// Parsers: none may crash, and what one reads and writes anew it must read as the same.
enum TextTargets {
    static func rules(_ input: [UInt8]) {
        let file = RulesFile(name: "rules", text: String(decoding: input, as: UTF8.self), layerCount: 3)
        guard let selector = try? file.selector() else { return }
        for path in paths {
            let choice = selector.choose(.create, path: path)
            if case .create(.layer(let index)) = choice, !(0..<3).contains(index) {
                fail("rules: layer \(index)")
            }
            _ = selector.choose(.mkdir, path: path)
            _ = selector.choose(.read, path: path)
        }
    }

    private static var paths: [PathRef] {
        [
            "a", "a/b/c", "user.slice/x.scope/notes", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "\u{fffd}",
            "[", "",
        ]
    }

    static func options(_ input: [UInt8]) {
        let text = String(decoding: input, as: UTF8.self)
        if OptionGrammar.unescape(OptionGrammar.escape(text)[...]) != text { fail("options: escapes") }
        guard let options = try? MountOptions(parsing: text) else { return }
        let configuration = options.configuration
        if configuration.policies.timeToLive < 0 { fail("options: ttl") }
        if configuration.layers.count != options.lowers.count + (options.upper == nil ? 0 : 1) {
            fail("options: layers")
        }
    }

    static func control(_ input: [UInt8]) {
        _ = ControlRequest.isComplete(input)
        if let request = ControlRequest(input), ControlRequest(request.bytes) != request {
            fail("control: a request is read differently")
        }
        if let reply = ControlReply(input), ControlReply(reply.bytes) != reply { fail("control: a reply") }
    }

    /// Each line is both, a mark and an origin.
    static func marks(_ input: [UInt8]) {
        for line in input.split(separator: 0x0a, omittingEmptySubsequences: false) {
            let line = Array(line)
            if let written = Decoders.rewrittenMark(line), Decoders.rewrittenMark(written) != written {
                fail("marks: a line is read differently")
            }
            let origin = Decoders.rewrittenOrigin(line)
            if Decoders.rewrittenOrigin(origin) != origin { fail("marks: an origin is read differently") }
        }
    }

    static func mounts(_ input: [UInt8]) {
        let mounts = MountInfo.parse(input)
        if mounts.count > input.count { fail("mounts: more than lines") }
        _ = SmallestText.of(mounts)
    }
}

/// Texts that are made of mounts, for the sake of making them.
private enum SmallestText {
    static func of(_ mounts: [MountInfo]) -> Int {
        mounts.map { $0.mountPointString.utf8.count + $0.sourceString.utf8.count + $0.rootString.utf8.count }
            .min() ?? 0
    }
}

enum TextSeeds {
    static var rules: [[UInt8]] {
        [
            "", "# nothing\n",
            "[[rule]]\npath = \"*.log\"\ncreate = \"upper\"\n",
            "[[rule]]\npath = \"/a/**/b\"\nmkdir = \"fallback\"\nread = \"lower-first\"\n",
            "[[rule]]\npath = '[a-c]?x/'\ncreate = 2\n[[rule]]\npath = \"[[:alpha:]]*\"\ncreate = \"deny\"\n",
            "rule = [ { path = \"\\u00e4\", read = 1 } ]\n", "[[rule]]\npath = 1979-05-27T07:32:00Z\n",
            "rule = 0x7fffffffffffffff\n", "[[rule]]\npath = \"\"\"\na\n\"\"\"\ncreate = 1e400\n",
        ].map { Array($0.utf8) }
    }

    static var options: [[UInt8]] {
        [
            "lowerdir=/a:/b=ro:/c=ro+static,upperdir=/u,workdir=/w", "lowerdir+=/a\\:b,lowerdir+=/c=oci",
            "create=fallback,mkdir=lower,orphans=hide,whiteout=off,locks=through,complete=lower",
            "coherence=ttl,ttl=1.5e3,rules=/r,passthrough=off,poll=auto,fsname=x\\,y,allow_other",
            "ro,nosuid,nodev,noexec,noatime,sync,dirsync,nodiratime",
            "xino=on,index=off,metacopy=off,volatile",
            "ttl=nan", "upperdir=/a=b=rw+watch",
        ].map { Array($0.utf8) }
    }

    static var control: [[UInt8]] {
        let path = Array("a/b".utf8)
        let requests: [ControlRequest] = [
            .status, .explain(path), .sync, .orphans, .restoreOrphan(path), .purgeOrphan(path),
            .purgeAllOrphans,
            .complete(path), .incomplete(path),
        ]
        return requests.map(\.bytes) + [ControlReply.answer(path).bytes, ControlReply.failure("no").bytes]
    }

    static var marks: [[UInt8]] {
        [
            "set\t17.5.999\torigin\t2%201021994:0:-\n", "unset\t17.5.999\tcomplete\n", "drop\t17.5.999\n",
            "2 1021994:1f:0123456789abcdef h0102 /srv/lower\n2 ef53:0:- i12.1700000000.5 /a b\n2 0:0:- n \n",
        ].map { Array($0.utf8) }
    }

    static var mounts: [[UInt8]] {
        [
            "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n",
            "1 0 0:1 / /a\\040b rw - tmpfs none rw\n2 1 0:2 / / rw shared:1 master:2 - proc proc rw\n",
        ].map { Array($0.utf8) }
    }
}
