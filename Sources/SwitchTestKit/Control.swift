import SystemPackage

/// Asks the server of a mount, past the mount.
public struct Control: Sendable {
    /// Where the mount is.
    public let mount: TestPath

    public init(_ mount: TestPath) {
        self.mount = mount
    }

    /// The barrier: when it returns, every change made underneath before shows.
    public func synchronize() throws {
        try run(Machine.binary, "sync", mount.text, within: 30).orThrow()
    }

    /// What the server itself says of a path, whatever the kernel keeps.
    public func explain(_ path: TestPath) throws -> String {
        let answer = try run(Machine.binary, "explain", (mount / path).text, within: 30)
        return answer.output + answer.errors
    }

    /// What `switchfs status` says.
    public func status() throws -> ServerStatus {
        ServerStatus(
            json: try run(Machine.binary, "status", "--json", mount.text, within: 30).orThrow().output)
    }
}

/// What `status --json` says.
public struct ServerStatus: Sendable {
    private let text: String

    public init(json: String) {
        text = json.filter { $0 != " " && $0 != "\n" }
    }

    /// A counter by its JSON name; one that isn't there has counted nothing.
    public subscript(_ name: String) -> Int {
        guard let range = Self.find("\"\(name)\":", in: text) else { return 0 }
        return Int(text[range...].prefix { $0.isNumber }) ?? 0
    }

    /// Requests of all kinds but those that give something back, which nobody waits for.
    public var requests: [String: Int] {
        guard let start = Self.find("\"requests\":{", in: text) else { return [:] }
        var result: [String: Int] = [:]
        for pair in text[start...].prefix(while: { $0 != "}" }).split(separator: ",") {
            let parts = pair.split(separator: ":")
            guard parts.count == 2, let count = Int(parts[1]) else { continue }
            let name = parts[0].filter { $0 != "\"" }
            if !["FORGET", "BATCH_FORGET", "RELEASE", "RELEASEDIR"].contains(name) { result[name] = count }
        }
        return result
    }

    /// What of `requests` came after `earlier`.
    public func requests(since earlier: ServerStatus) -> [String: Int] {
        requests.merging(earlier.requests) { $0 - $1 }.filter { $0.value != 0 }
    }

    /// The index behind the first occurrence.
    private static func find(_ word: String, in text: String) -> String.Index? {
        var rest = text[...]
        while !rest.isEmpty {
            if rest.hasPrefix(word) { return rest.index(rest.startIndex, offsetBy: word.count) }
            rest = rest.dropFirst()
        }
        return nil
    }
}

extension Union {
    public var control: Control { Control(mount) }

    /// Makes the kernel give back every name, and so every object, that nobody uses: what a remount does first.
    public func dropKernelCaches() throws {
        let remount: UInt = 32
        try Sys.mount("none", on: mount, type: "none", flags: remount)
    }

    /// See `Control.synchronize`.
    public func synchronize() throws {
        try control.synchronize()
    }
}
