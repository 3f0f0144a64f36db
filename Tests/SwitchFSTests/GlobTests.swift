import Testing

@testable import SwitchFS

@Suite("Globs")
struct GlobTests {
    private func matches(_ pattern: String, _ path: String) throws -> Bool {
        try Glob(pattern).matches(Array(path.utf8))
    }

    @Test(
        "What matches",
        arguments: [
            ("notes", "notes"), ("notes", "a/b/notes"), ("*", "a"), ("*", "a/b"), ("*.c", "x/y.c"),
            ("/notes", "notes"), ("/*/notes", "a/notes"), ("a/b", "a/b"), ("a/*/c", "a/b/c"),
            ("**/notes", "notes"), ("**/notes", "a/b/notes"), ("a/**", "a/b"), ("a/**", "a/b/c"),
            ("a/**/b", "a/b"), ("a/**/b", "a/x/y/b"), ("**/*.slice/**", "user.slice/x"),
            ("**/*.slice/**", "a/user.slice/b/c"), ("/**", "a"), ("**", "a/b"), ("a?c", "abc"),
            ("[a-c]x", "bx"), ("[!a-c]x", "dx"), ("[^a-c]x", "dx"), ("[]]", "]"), ("[a-]", "-"),
            ("[[:digit:]_]*", "7up"), ("\\*", "*"), ("\\[a]", "[a]"), ("[\\]]", "]"), ("a**b", "axxb"),
            ("dir/", "dir"), ("dir/", "dir/x/y"), ("dir/", "a/dir/x"), ("/a/b/", "a/b/c"),
            ("**/a/**/b/**/c", "x/a/y/b/z/z/c"), ("a*b*c", "aXbXbXc"), ("**/a*/b", "ax/c/ay/b"),
            ("*a*b/c", "xaxbab/c"), ("#x", "#x"), ("[[]", "["),
        ])
    func positive(pattern: String, path: String) throws {
        #expect(try matches(pattern, path))
    }

    @Test(
        "What does not",
        arguments: [
            ("notes", "notes2"), ("/notes", "a/notes"), ("a/b", "x/a/b"), ("a/*", "a/b/c"), ("*.c", "a.cc"),
            ("a/**", "a"), ("**/x/**", "x"), ("a?c", "a/c"), ("a[/]c", "a/c"), ("[!a]", "/"),
            ("[a-c]x", "dx"),
            ("**/a/b", "a/x/b"), ("dir/", "dirx"), ("dir/", "xdir/y"), ("/dir/", "a/dir/x"),
            ("*/b", "a/x/b"), ("a/**/b", "ab"),
        ])
    func negative(pattern: String, path: String) throws {
        #expect(try !matches(pattern, path))
    }

    @Test("Bytes that are no UTF-8 are bytes like others")
    func rawBytes() throws {
        #expect(try Glob("a?").matches([0x61, 0xff]))
        #expect(try Glob([0x2a, 0xff]).matches([0x80, 0xff]))
        #expect(try Glob("[!a]").matches([0xff]))
    }

    @Test("A pattern made to be slow is not")
    func backtracking() throws {
        let stars = String(repeating: "*a", count: 50)
        #expect(try !matches(stars + "b", String(repeating: "a", count: 250)))
        let deep = String(repeating: "**/a/", count: 20)
        #expect(try !matches(deep + "b", String(repeating: "a/", count: 200) + "c"))
    }

    @Test(
        "What is no pattern",
        arguments: [
            ("", 0), ("/", 1), ("!a", 0), ("[ab", 0), ("a/[", 2), ("a\\", 1), ("[b-a]", 4), ("[[:word:]]", 1),
        ])
    func errors(pattern: String, offset: Int) {
        let error = #expect(throws: GlobError.self) { try Glob(pattern) }
        #expect(error?.offset == offset, "\(error?.message ?? "")")
    }
}
