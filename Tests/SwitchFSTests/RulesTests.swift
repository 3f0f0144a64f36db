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
            ("[{", "line 1, column 2: a key should be here"), ("[\n", "column 2: a key"),
            ("rule = [ }", "line 1, column 10: a value should be here"),
            ("rule = 08:0F", "'rule' is no list"), ("rule = 1:", "'rule' is no list"),
            ("[rule]\npath = 'a'", "line 1, column 2: 'rule' is no list"),
            ("rule = []\n[[rule]]\n", "line 2, column 3: 'rule' is something else already"),
            ("[[rule]]\npath = 'a'\npath = 'b'", "line 3, column 1: key 'path' is given twice"),
            ("[[rule]]\npath = \"\\q\"", "line 2, column 10: no such escape"),
            ("[[rule]]\npath = \"\\ud800\"", "no such Unicode character"),
            ("[[rule]]\npath = \"\\u00g0\"", "hexadecimal"),
            ("[[rule]]\npath = 'a' x", "line 2, column 12: the line should end here"),
            ("[[rule]]\npath = upper", "'upper' is; a string needs quotes"),
            ("[[rule]]\npath = \"\"\"a", "the file ends in a string"),
            ("[[rule]]\npath = 'a'\n[rule.x]\n[[rule]]\nread = 7", "the rule has no path"),
            ("[[rule]]\npath = 'a'\ncreate = 9223372036854775808", "wrong kind of value"),
            (String(repeating: "x=[", count: 1), "a value should be here"),
            ("rule = " + String(repeating: "[", count: 100_000), "nested too deep"),
        ])
    func errors(text: String, part: String) {
        let error = #expect(throws: MountError.self) { try selector(text) }
        let message = error?.message ?? ""
        #expect(message.hasPrefix("rules file rules.toml: "))
        #expect(message.contains(part), "\(message)")
        #expect(!message.contains("\n"))
        #expect(error?.exitCode == 1)
    }

    @Test(
        "Strings, numbers and tables in every form that TOML has",
        arguments: [
            ("[[rule]]\npath = \"\\u0061\\U00000062\\t\\\"\"\ncreate = 1", "ab\t\""),
            ("[ [rule]]", ""),
            ("[[ \"rule\" ]] # note\n'path'=\"\"\"\nab\\\n   c\"\"\"\"\ncreate = 0x1", "abc\""),
            ("\u{feff}[[rule]]\r\npath = 'ab'\r\ncreate = 0b0_1\r\n", "ab"),
            ("rule = [ # one\n {path = 'ab', create = +1,\n} ]", ""),
            ("rule = [ # one\n {path = 'ab', create = +1},\n]\n", "ab"),
            ("[[rule]]\npath = \'\'\'ab\'\'\'\ncreate = \"1\"", "ab"),
            ("[[rule]]\npath = \"\"\ncreate = 1", ""),
        ])
    func forms(text: String, path: String) throws {
        if path.isEmpty {
            #expect(throws: MountError.self) { try selector(text) }
        } else {
            let path = OwnedName(path)
            #expect(try selector(text).choose(.create, path: path.ref) == .create(.layer(1)))
        }
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
