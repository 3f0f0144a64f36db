import Testing
import UnionCore

@testable import SwitchFS

@Suite("The grammar of -o")
struct OptionGrammarTests {
    @Test("Layers in a list, with attributes")
    func layers() throws {
        let options = try MountOptions(parsing: "lowerdir=/img=ro:/sys/fs/cgroup=check:/c=ro+static+oci")
        #expect(
            options.lowers == [
                LayerOption("/img", readOnly: true),
                LayerOption("/sys/fs/cgroup", coherence: .check),
                LayerOption("/c", readOnly: true, coherence: .static, isOCI: true),
            ])
    }

    @Test(
        "A last = that no attribute follows belongs to the path",
        arguments: [
            ("/a=b", "/a=b", nil), ("/a=b=ro", "/a=b", true), ("/a=ro+nonsense", "/a=ro+nonsense", nil),
            ("/a\\=ro", "/a=ro", nil), ("/a=", "/a=", nil), ("/a=rw", "/a", false), ("=ro", "", true),
        ] as [(String, String, Bool?)])
    func equals(text: String, path: String, readOnly: Bool?) throws {
        #expect(try LayerOption(parsing: text[...]) == LayerOption(path, readOnly: readOnly))
    }

    @Test(
        "Escapes",
        arguments: [
            ("lowerdir=/a\\:b:/c\\,d", ["/a:b", "/c,d"]), ("lowerdir=/a\\\\:/b", ["/a\\", "/b"]),
            ("lowerdir=/a\\nb", ["/a\\nb"]), ("lowerdir=/a\\", ["/a\\"]),
        ])
    func escapes(text: String, paths: [String]) throws {
        #expect(try MountOptions(parsing: text).lowers.map(\.path) == paths)
    }

    @Test("An escaped path comes back unchanged", arguments: ["/a:b,c=d\\e", "/plain", "/ü=ro", "\\"])
    func roundTrip(path: String) throws {
        let options = try MountOptions(parsing: "lowerdir=" + OptionGrammar.escape(path))
        #expect(options.lowers == [LayerOption(path)])
    }

    @Test("A separator counts although a combining mark follows")
    func combiningMarks() throws {
        let options = try MountOptions(parsing: "lowerdir=/a:\u{301}/b")
        #expect(options.lowers.map(\.path) == ["/a", "\u{301}/b"])
    }

    @Test("Later options override earlier ones")
    func overriding() throws {
        var options = try MountOptions(parsing: "ro,create=lower,lowerdir=/a,create=fallback")
        try options.apply("rw,lowerdir=/b:/c,lowerdir+=/d:e")
        #expect(!options.policies.readOnly)
        #expect(options.policies.create == .fallback)
        #expect(options.lowers.map(\.path) == ["/b", "/c", "/d:e"])
    }

    @Test("Attributes that exclude each other", arguments: ["lowerdir=/a=ro+rw", "upperdir=/a=watch+check"])
    func contradictions(text: String) {
        #expect(throws: MountError.self) { try MountOptions(parsing: text) }
    }
}
