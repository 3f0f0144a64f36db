import Glibc
import SwitchTestKit
import SystemPackage

/// A mounted system, its server a child of this process.
final class Mounted {
    let system: System
    let layers: Layers
    /// Seconds from the start of the server, or the call of mount(2), to the first answer at the root.
    private(set) var startSeconds = 0.0
    private var server: Child?
    private var isMounted = false
    private let log: Handle?

    private static let bind: UInt = 4096

    init(_ system: System, _ layers: Layers, _ settings: SystemSettings) throws {
        self.system = system
        self.layers = layers
        log = try? Sys.open(layers.mount + ".log", O_RDWR | O_CREAT | O_TRUNC)
        let device = try Sys.facts(layers.mount.parent).device
        startSeconds = try seconds {
            switch system {
            case .native:
                try Sys.mount(layers.upper.text, on: layers.mount, type: "none", flags: Self.bind)
            case .overlay:
                try Sys.mount(
                    "overlay", on: layers.mount, type: "overlay", options: settings.overlayOptions(layers))
            default:
                try start(settings.command(of: system, layers) ?? [], outside: device)
            }
            _ = try Sys.facts(layers.mount)
        }
        isMounted = true
    }

    deinit {
        try? stop()
    }

    /// The server's process; the kernel's own systems have none.
    var process: Int32? { server?.pid }

    /// Unmounts and waits for the server's end.
    func stop() throws {
        let server = server
        self.server = nil
        guard isMounted else {
            server?.end()
            return
        }
        isMounted = false
        let wasFree = try? Sys.unmountOnceFree(layers.mount, within: 10)
        if wasFree != true { try? Sys.unmount(layers.mount, lazily: true) }
        try server?.wait(within: 20)
        if wasFree == false { throw FixtureError("the mount stayed busy") }
    }

    private func start(_ command: [String], outside device: UInt64) throws {
        let server = try Child(command, output: log, errors: log)
        self.server = server
        let deadline = Deadline(30)
        while true {
            if let facts = try? Sys.facts(layers.mount), facts.device != device { return }
            if let ending = server.poll() { throw failed("\(ending)") }
            if deadline.passed {
                server.end()
                try? Sys.unmount(layers.mount, lazily: true)
                throw failed("not mounted in time")
            }
            usleep(100)
        }
    }

    private func failed(_ how: String) -> FixtureError {
        _ = try? log?.seek(0)
        let said = (try? log?.readAll()) ?? []
        return FixtureError("\(system.name): \(how): \(String(decoding: said.suffix(300), as: UTF8.self))")
    }
}
