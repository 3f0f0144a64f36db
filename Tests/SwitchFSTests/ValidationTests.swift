import LinuxSystem
import SystemPackage
import Testing
import UnionCore

@testable import SwitchFS

@Suite("Checking a mount request")
struct ValidationTests {
    private let scratch: TemporaryDirectory
    private let lower: String
    private let upper: String
    private let mountPoint: String

    init() throws {
        scratch = try TemporaryDirectory()
        lower = try scratch.directory("lower")
        upper = try scratch.directory("upper")
        mountPoint = try scratch.directory("mount")
    }

    /// The error's message, having checked its form.
    private func refusal(
        _ options: MountOptions, at place: String? = nil, code: Int32 = 1,
        _ location: SourceLocation = #_sourceLocation
    ) -> String {
        let error = #expect(throws: MountError.self, sourceLocation: location) {
            try MountRequest(options, at: place ?? mountPoint)
        }
        #expect(error?.exitCode == code, sourceLocation: location)
        #expect(error?.message.contains("\n") == false, sourceLocation: location)
        return error?.message ?? ""
    }

    @Test("A good request has real, absolute paths")
    func good() throws {
        let link = try scratch.link("link", to: "lower")
        let work = try scratch.directory("work")
        let request = try MountRequest(
            MountOptions(lowers: [link], upper: upper + "/../upper/", work: work), at: mountPoint + "/")
        #expect(request.configuration.layers.map(\.path) == [upper, lower])
        #expect(request.configuration.hasUpper)
        #expect(request.configuration.workDirectory == work)
        #expect(request.mountPoint == mountPoint)
    }

    @Test("What isn't there, or is no directory")
    func missing() throws {
        let file = try scratch.file("file")
        let none = scratch.path + "/none"
        #expect(refusal(MountOptions(lowers: [none])).contains("lowerdir \(none): no such directory"))
        #expect(refusal(MountOptions(lowers: [file])).contains("lowerdir \(file): not a directory"))
        #expect(refusal(MountOptions(lowers: [lower], upper: none)).hasPrefix("upperdir \(none)"))
        #expect(refusal(MountOptions(lowers: [lower], upper: upper, work: none)).hasPrefix("workdir \(none)"))
        #expect(refusal(MountOptions(lowers: [lower]), at: none).hasPrefix("mount point \(none): no such"))
        #expect(refusal(MountOptions(lowers: [lower]), at: file).contains("not a directory"))
        #expect(refusal(MountOptions(lowers: [lower]), at: file + "/x").contains("not a directory"))
    }

    @Test("Too little, too much")
    func incomplete() throws {
        #expect(refusal(MountOptions(lowers: [], upper: upper), code: 2).contains("no lower layer"))
        #expect(refusal(MountOptions(lowers: [lower], work: upper), code: 2).contains("without upperdir"))
        let many = Array(repeating: lower, count: 501)
        #expect(refusal(MountOptions(lowers: many), code: 2).contains("at most 500"))
        #expect(refusal(MountOptions(lowers: [""]), code: 2).contains("path is empty"))
    }

    @Test("The same directory twice, whatever it is called")
    func same() throws {
        let link = try scratch.link("link", to: lower)
        #expect(refusal(MountOptions(lowers: [lower, lower])).contains("the same directory"))
        #expect(refusal(MountOptions(lowers: [lower, link])).contains("the same directory"))
        #expect(refusal(MountOptions(lowers: [lower], upper: lower + "/.")).contains("the same directory"))
    }

    @Test("Layers of container images, as their tools give them: unmarked, by a short name")
    func imageLayers() throws {
        let layer = try scratch.directory("0f3a", "0f3a/diff")
        let short = try scratch.link("SHORT", to: "0f3a/diff")
        _ = try MountRequest(MountOptions(lowers: [layer], upper: upper), at: mountPoint)
        _ = try scratch.file("0f3a/link", "SHORT")
        for given in [layer, short] {
            let said = refusal(MountOptions(lowers: [lower, given], upper: upper))
            #expect(said.contains("lowerdir \(layer) is a layer of a container image"))
            #expect(said.contains("\(layer)=ro"))
        }
        for readOnly in [true, false] {
            var options = MountOptions(lowers: [], upper: upper)
            options.lowers = [LayerOption(short, readOnly: readOnly)]
            _ = try MountRequest(options, at: mountPoint)
        }
        var options = MountOptions(lowers: [layer])
        options.policies.readOnly = true
        _ = try MountRequest(options, at: mountPoint)
    }

    @Test("Layers inside each other")
    func nested() throws {
        let inner = try scratch.directory("lower/a", "lower/a/b")
        let outside = try scratch.directory("lower-beside")
        #expect(
            refusal(MountOptions(lowers: [lower], upper: inner)).contains(
                "upperdir \(inner) is inside lowerdir"))
        #expect(
            refusal(MountOptions(lowers: [inner], upper: lower)).contains(
                "lowerdir \(inner) is inside upperdir"))
        #expect(refusal(MountOptions(lowers: [lower, inner])).contains("is inside lowerdir \(lower)"))
        _ = try MountRequest(MountOptions(lowers: [lower], upper: outside), at: mountPoint)
    }

    @Test("The mount point inside a layer; over a layer; a layer inside the mount point")
    func mountPointPlaces() throws {
        let inner = try scratch.directory("lower/a")
        #expect(refusal(MountOptions(lowers: [lower]), at: inner).contains("is inside lowerdir \(lower)"))
        _ = try MountRequest(MountOptions(lowers: [lower]), at: lower)
        _ = try MountRequest(MountOptions(lowers: [inner]), at: lower)
    }

    @Test("The work directory's places")
    func work() throws {
        let (inUpper, inLower) = (try scratch.directory("upper/w"), try scratch.directory("lower/w"))
        let holder = try scratch.directory("holder")
        let inWork = try scratch.directory("holder/upper")
        func message(_ work: String, upper: String? = nil) -> String {
            refusal(MountOptions(lowers: [lower], upper: upper ?? self.upper, work: work))
        }
        #expect(message(upper).contains("upperdir itself"))
        #expect(message(lower).contains("lowerdir itself"))
        #expect(message(inUpper).contains("is inside upperdir"))
        #expect(message(inLower).contains("is inside lowerdir"))
        #expect(message(holder, upper: inWork).contains("is inside workdir"))
        #expect(message("/proc").contains("not writable") || message("/proc").contains("another filesystem"))
        #expect(message("/dev/shm").contains("another filesystem"))
        #expect(message(mountPoint).contains("choose another"))
    }

    @Test(
        "An upper without extended attributes needs a work directory that takes files",
        .enabled(if: ServerIdentity.uid == 0, "mounting needs root"))
    func upperWithoutMarks() throws {
        let target = OwnedName(upper)
        do throws(Errno) {
            try Mounting.mount(source: "none", target: target.ref, type: "bpf", flags: [], options: "")
        } catch {
            print("no bpffs here: \(error)")
            return
        }
        defer { try? Mounting.unmount(target.ref, flags: .detach) }
        let options = MountOptions(lowers: [lower], upper: upper)
        #expect(refusal(options).contains("takes no extended attributes; give workdir"))
        let inside = OwnedName(upper + "/work")
        try FileDescriptor.workingDirectory.makeDirectory(at: inside.ref, mode: 0o755)
        let bad = MountOptions(lowers: [lower], upper: upper, work: upper + "/work")
        #expect(refusal(bad).contains("takes no files"))
        let work = try scratch.directory("work")
        let good = MountOptions(lowers: [lower], upper: upper, work: work)
        #expect(try MountRequest(good, at: mountPoint).configuration.workDirectory == work)
    }

    @Test("A rules file that can't be read stops the mount")
    func rules() throws {
        var options = MountOptions(lowers: [lower])
        options.rulesFile = try scratch.file("rules.toml", "[[rule]]\npath = \"a\"\ncreate = 7\n")
        #expect(
            refusal(options).contains("line 3, column 10: create: there is no layer 7; the last one is 0"))
    }

    @Test("Relative paths start at the working directory")
    func relative() throws {
        #expect(throws: MountError.self) {
            try MountRequest(MountOptions(lowers: ["no-such-directory-here"]), at: mountPoint)
        }
        let request = try MountRequest(MountOptions(lowers: ["."]), at: mountPoint)
        #expect(request.configuration.layers.first?.path.hasPrefix("/") == true)
    }
}
