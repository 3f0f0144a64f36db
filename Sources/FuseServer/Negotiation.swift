internal import CFuse3
internal import CFuseShims
internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// What is agreed on with the kernel in INIT, the first request of a connection.
final class Negotiation: Sendable {
    /// Requests that nobody waits for (RELEASE, asynchronous reads) which may be under way; a few only would
    /// let closed files pile up.
    private static let background: UInt32 = 16384

    private struct State {
        var passthrough = PassthroughState.disabled("not negotiated yet")
        var isDone = false
    }

    private let mode: PassthroughMode
    private let depth: Int
    private let device: Device
    private let backing: DeviceBackingStore
    private let state = Mutex(State())

    init(mode: PassthroughMode, depth: Int, device: Device, backing: DeviceBackingStore) {
        self.mode = mode
        self.depth = depth
        self.device = device
        self.backing = backing
    }

    var passthrough: PassthroughState { state.withLock { $0.passthrough } }
    var isDone: Bool { state.withLock { $0.isDone } }

    /// Decides on what libfuse has no names for, or what it (before 3.17) takes and doesn't pass on: INIT's
    /// flags to be added to the reply, and the stack depth.
    func begin(_ request: sfs_init_request) -> (flags: UInt64, depth: UInt32) {
        let isExtended = UInt64(request.flags) & sfsInitExtended != 0
        let offered = UInt64(request.flags) | (isExtended ? UInt64(request.flags2) << 32 : 0)
        var wanted = sfsInitParallelDirectories | sfsInitHandleKillPrivileges | sfsInitExtended
        let passthrough = decide(offered)
        if passthrough.isEnabled { wanted |= sfsInitPassthrough }
        let flags = wanted & offered
        state.withLock { $0.passthrough = passthrough }
        return (flags, UInt32(passthrough.depth))
    }

    private func decide(_ offered: UInt64) -> PassthroughState {
        if mode == .off { return .disabled("switched off") }
        if offered & sfsInitPassthrough == 0 { return .disabled("the kernel has none (it came with 6.9)") }
        if !Capabilities.hasEffective(.sysAdmin) { return .disabled("it needs the capability CAP_SYS_ADMIN") }
        return .enabled(depth: depth)
    }

    /// What libfuse itself asks for. `connection` is a fuse_conn_info.
    func complete(_ connection: UnsafeMutableRawPointer, keepsTargets: Bool, keepsListings: Bool) {
        var features = sfs_features(
            keeps_targets: keepsTargets ? 1 : 0, keeps_listings: keepsListings ? 1 : 0,
            max_write: UInt32(RequestBuffer.maximumData),
            max_background: Negotiation.background)
        unsafe sfs_negotiate(connection, &features)
        state.withLock { $0.isDone = true }
    }

    /// After INIT: tries what was agreed on. Throws where passthrough is required and can't be had.
    func finish() throws(SessionError) {
        var result = passthrough
        if result.isEnabled, let error = trialError() {
            result = .disabled("the kernel refuses to register files: \(error)")
        }
        state.withLock { [result] in $0.passthrough = result }
        if result.isEnabled { backing.connect(device.descriptor) }
        if mode == .require && !result.isEnabled {
            throw SessionError("passthrough=require, but passthrough cannot be had: \(result.reason)")
        }
    }

    /// Registers a nameless file, and unregisters it again. A place that can't have one, or is itself stacked
    /// too deep, decides nothing.
    private func trialError() -> Errno? {
        for place in ["/tmp", "/var/tmp", "/dev/shm", "/run"] as [PathRef] {
            guard
                let file = try? FileDescriptor.workingDirectory.openPlain(
                    place, flags: [.temporaryFile, .readWrite], mode: 0o600)
            else { continue }
            do throws(Errno) {
                device.descriptor.unregisterBacking(try device.descriptor.registerBacking(file.descriptor))
                return nil
            } catch {
                if error != .tooManySymbolicLinkLevels { return error }
            }
        }
        return nil
    }
}

// Macros with ULL suffixes and casts come into Swift with types of the importer's choice.
private let sfsInitParallelDirectories: UInt64 = 1 << 18
private let sfsInitHandleKillPrivileges: UInt64 = 1 << 28
private let sfsInitExtended: UInt64 = 1 << 30
private let sfsInitPassthrough: UInt64 = 1 << 37
