import Testing

@testable import SwitchFS

@Suite("JSON names")
struct JSONTests {

    private var status: MountStatus {
        var counters = MountStatus.Counters()
        counters.requests = ["LOOKUP": 3]
        counters.errors = ["ENOENT": 1]
        return MountStatus(
            mountpoint: "/m", pid: 7, version: "1",
            layers: [
                MountStatus.Layer(
                    index: 0, role: .upper, path: "/u", access: .rw, filesystem: "ext4",
                    coherence: MountStatus.Coherence(mode: .check, reason: "so")),
                MountStatus.Layer(
                    index: 1, role: .lower, path: "/l", access: .ro, filesystem: "xfs",
                    coherence: MountStatus.Coherence(mode: .static, reason: "as given"),
                    error: "Input/output error", root: .covered),
            ],
            passthrough: MountStatus.Passthrough(enabled: true, depth: 1, reason: "yes"), counters: counters,
            openFiles: [
                MountStatus.OpenFile(path: "/a", layer: 0, realPath: "/u/a", handles: 2, io: .passthrough)
            ], cgroups: [MountStatus.Cgroup(hierarchy: "", path: "/g", layer: 0)])
    }

    private func compact(_ value: some Encodable) throws -> String {
        String(decoding: try JSON.compact(value), as: UTF8.self)
    }

    @Test("status")
    func statusNames() throws {
        #expect(
            try compact(status) == """
                {"cgroups":[{"hierarchy":"","layer":0,"path":"/g"}],"counters":{"backing_files":0,"degraded_directories":0,"errors":{"ENOENT":1},\
                "events":0,"given_back_watches":0,"invalidations":0,\
                "listings":0,"nodes":0,"overflows":0,"requests":{"LOOKUP":3},"told_ahead":0,"watches":0},\
                "layers":[{"access":"rw","coherence":{"mode":"check","reason":"so"},"filesystem":"ext4",\
                "index":0,"path":"/u","role":"upper"},\
                {"access":"ro","coherence":{"mode":"static","reason":"as given"},"error":"Input/output error",\
                "filesystem":"xfs","index":1,"path":"/l","role":"lower","root":"covered"}],"mountpoint":"/m",\
                "open_files":[{"handles":2,"io":"passthrough","layer":0,"path":"/a","real_path":"/u/a"}],\
                "passthrough":{"depth":1,"enabled":true,"reason":"yes"},"pid":7,"version":"1"}
                """)
        #expect(try JSON.decode(MountStatus.self, from: JSON.compact(status)) == status)
    }

    @Test("explain")
    func explanationNames() throws {
        let explanation = Explanation(
            path: "/a", kind: .absent, owner: nil,
            layers: [Explanation.Layer(index: 0, path: "/u/a", found: .nothing, note: "")],
            create: .goes(layer: 0, path: "/u/a", reason: "r"),
            mkdir: .goes(layer: 1, path: "/l/a", reason: "r"),
            unlink: .fails(error: "ENOENT", reason: "r"), rename: .fails(error: "ENOENT", reason: "r"))
        #expect(
            try compact(explanation) == """
                {"create":{"layer":0,"path":"/u/a","reason":"r"},"kind":"absent",\
                "layers":[{"found":"nothing","index":0,"note":"","path":"/u/a"}],\
                "mkdir":{"layer":1,"path":"/l/a","reason":"r"},"owner":null,"path":"/a",\
                "rename":{"error":"ENOENT","reason":"r"},"unlink":{"error":"ENOENT","reason":"r"}}
                """)
        #expect(try JSON.decode(Explanation.self, from: JSON.compact(explanation)) == explanation)
    }

    @Test("The words of closed sets")
    func words() {
        #expect(CoherenceMode.allCases.map(\.rawValue) == ["watch", "check", "ttl", "static"])
        #expect([RootChange.gone, .replaced, .covered].map(\.rawValue) == ["gone", "replaced", "covered"])
        #expect(
            Explanation.Kind.allCases.map(\.rawValue) == [
                "pure", "merged", "complete", "file", "symlink", "fifo", "socket", "character device",
                "block device", "absent", "unknown",
            ])
        #expect(
            Explanation.Layer.Found.allCases.map(\.rawValue) == [
                "directory", "file", "symlink", "fifo", "socket", "character device", "block device",
                "whiteout", "nothing",
            ])
    }

    @Test("list")
    func listingNames() throws {
        let listing = [
            MountListing(mountpoint: "/m", pid: 7, layers: ["/u", "/l"]),
            MountListing(mountpoint: "/n", pid: nil, layers: []),
        ]
        #expect(
            try compact(listing) == """
                [{"layers":["/u","/l"],"mountpoint":"/m","pid":7},{"layers":[],"mountpoint":"/n","pid":null}]
                """)
    }
}
