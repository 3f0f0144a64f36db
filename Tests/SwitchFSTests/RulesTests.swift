import LinuxSystem
import Testing
import UnionCore

@testable import SwitchFS

@Suite("Rules files")
struct RulesTests {
    private func selector(_ text: String, layers: Int = 3) throws -> RuleSelector {
        try RulesFile(name: "rules.toml", text: text, layerCount: layers).selector()
    }

    @Test("The first rule that matches decides, and what it leaves out the mount options do")
    func choosing() throws {
        let selector = try selector(
            """
            # comment
            [[rule]]
            path   = "**/*.slice/**"
            create = "upper"
            mkdir  = "lower"
            read   = "lower-first"

            [[rule]]
            path = "/secret/"
            create = "deny"
            [[rule]]
            path = '*'
            mkdir = 2
            create = "1"
            read = "upper-first"
            """)
        #expect(selector.choose(.create, path: "a.slice/x") == .create(.upper))
        #expect(selector.choose(.mkdir, path: "a.slice/x") == .create(.lower))
        #expect(selector.choose(.read, path: "a.slice/x") == .read(.lowerFirst))
        #expect(selector.choose(.create, path: "secret/a") == .create(.deny))
        #expect(selector.choose(.mkdir, path: "secret/a") == .mountDefault)
        #expect(selector.choose(.mkdir, path: "b/a") == .create(.layer(2)))
        #expect(selector.choose(.create, path: "b/a") == .create(.layer(1)))
        #expect(selector.choose(.read, path: "b/a") == .read(.upperFirst))
    }

    @Test("No rules: the mount options decide", arguments: ["", "# nothing\n"])
    func empty(text: String) throws {
        #expect(try selector(text).choose(.create, path: "a") == .mountDefault)
    }

    @Test("Rules as inline tables")
    func inline() throws {
        let selector = try selector("rule = [{ path = 'a', create = 'lower' }]")
        #expect(selector.choose(.create, path: "a") == .create(.lower))
    }

    @Test(
        "Errors name file, line and column, and are one line",
        arguments: [
            ("[[rule]]\npath = \"a\ncreate = \"upper\"", "line 2, column 10"),
            ("[[rule]\n", "line 1"),
            ("[[rule]]\npath = \"a\"\ncreate = \"uper\"", "line 3, column 10: create: unknown value 'uper'"),
            ("[[rule]]\npath = \"a\"\n  crate = \"upper\"", "line 3, column 3: unknown key 'crate'"),
            ("[[rule]]\ncreate = \"upper\"", "line 1, column 1: the rule has no path"),
            ("[[rule]]\npath = 3", "line 2, column 8: path must be a string"),
            ("[[rule]]\npath = \"a[b\"", "line 2, column 10: path: '['"),
            (
                "[[rule]]\npath = \"a\"\n[[rule]]\npath = \"b\"\nmkdir = 3",
                "line 5, column 9: mkdir: there is no layer 3"
            ),
            ("[[rule]]\npath = \"a\"\nmkdir = true", "line 3, column 9: mkdir: wrong kind"),
            ("[[rule]]\npath = \"a\"\nread = \"first\"", "line 3, column 8: read: unknown value"),
            ("[[rules]]\npath = \"a\"", "line 1, column 3: unknown key 'rules'"),
            ("rule = 3", "line 1, column 1: 'rule' is no list"),
            ("path = \u{0}", "NUL"),
        ])
    func errors(text: String, part: String) {
        let error = #expect(throws: MountError.self) { try selector(text) }
        let message = error?.message ?? ""
        #expect(message.hasPrefix("rules file rules.toml: "))
        #expect(message.contains(part), "\(message)")
        #expect(!message.contains("\n"))
        #expect(error?.exitCode == 1)
    }

    @Test("A file that isn't there, is none, is no text")
    func unreadable() throws {
        let directory = try TemporaryDirectory()
        let binary = try directory.file("binary", "ok")
        _ = try RuleSelector(
            contentsOf: directory.file("rules.toml", "[[rule]]\npath = 'a'\n"), layerCount: 1)
        for path in [directory.path + "/none", directory.path, "/dev/zero"] {
            let error = #expect(throws: MountError.self) { try RuleSelector(contentsOf: path, layerCount: 1) }
            #expect(error?.message.contains(path) == true)
        }
        #expect(throws: MountError.self) { try RuleSelector(contentsOf: binary, layerCount: 1) }
    }
}
