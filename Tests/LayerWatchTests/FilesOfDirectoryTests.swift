import LayerWatch
import LinuxSystem
import SystemPackage
import Testing
import UnionCore

/// What a directory's watch tells of the files in it.
@Suite struct FilesOfDirectoryTests {
    private func scene() throws -> Scene {
        let scene = try Scene()
        try scene.root.write("x", to: "f")
        try scene.watch("", as: 5)
        return scene
    }

    private func watchFiles(_ scene: Scene, as node: UInt64) -> Bool {
        scene.watcher.watch(scene.root, for: NodeID(rawValue: node), layer: 0, as: .directoryWithFiles)
    }

    private func write(_ scene: Scene) throws(Errno) {
        let file = try scene.root.openPlain("f", flags: [.writeOnly, .truncate])
        try scene.root.write("y", to: "f")
        _ = consume file
    }

    private func changeMode(_ scene: Scene) throws(Errno) {
        try scene.root.changeMode(of: "f", to: 0o640)
    }

    /// Their attributes are told in any case; what is written to them isn't.
    @Test func attributesAlone() throws {
        let scene = try scene()
        #expect(try scene.changes { () throws(Errno) in try changeMode(scene) } == ["5/0 fileAttributes f"])
        #expect(try scene.changes { () throws(Errno) in try write(scene) } == [])
    }

    @Test func contentWhereItIsAskedFor() throws {
        let scene = try scene()
        #expect(watchFiles(scene, as: 5))
        #expect(try scene.changes { () throws(Errno) in try write(scene) } == ["5/0 fileContent f"])
        // To watch the directory once more takes nothing away.
        try scene.watch("", as: 5)
        #expect(try scene.changes { () throws(Errno) in try write(scene) } == ["5/0 fileContent f"])
        scene.watcher.narrow(scene.root, for: NodeID(rawValue: 5), layer: 0)
        #expect(try scene.changes { () throws(Errno) in try write(scene) } == [])
        #expect(
            try scene.changes { () throws(Errno) in try scene.root.write("", to: "g") } == ["5/0 entry g"])
        #expect(scene.watcher.watchCount == 1)
    }

    /// What another node counts on goes on.
    @Test func contentThatTwoNodesWant() throws {
        let scene = try scene()
        #expect(watchFiles(scene, as: 5) && watchFiles(scene, as: 6))
        scene.watcher.narrow(scene.root, for: NodeID(rawValue: 5), layer: 0)
        let told = try scene.changes { () throws(Errno) in try write(scene) }
        #expect(Set(told) == ["5/0 fileContent f", "6/0 fileContent f"])
    }
}
