/// What `switchfs doctor` found.
///
/// The names in its JSON are stable: later versions add names and take none away.
public struct DoctorReport: Codable, Sendable, Equatable {
    /// Nothing stands in the way of a mount.
    public var canMount: Bool
    /// What doesn't depend on the layers.
    public var machine: [Finding]
    /// What the layers of the planned mount will get, top to bottom; empty where none was given.
    public var layers: [LayerPlan]
    /// How removed names of read-only layers will be hidden, for people; nil without a planned upper.
    public var whiteout: String?

    private enum CodingKeys: String, CodingKey {
        case machine, layers, whiteout
        case canMount = "can_mount"
    }

    /// One thing that was looked at.
    public struct Finding: Codable, Sendable, Equatable {
        /// What was looked at, for people: `kernel`, `/dev/fuse`, `inotify watches`, …
        public var name: String
        /// How it is.
        public var state: State
        /// What was found, and where it isn't well what to do, for people.
        public var text: String

        /// How a thing is that was looked at.
        public enum State: String, Codable, Sendable {
            /// As it should be.
            case ok
            /// A mount works, with less than there could be.
            case warning
            /// No mount without a change here.
            case problem
        }

        init(_ name: String, _ state: State, _ text: String) {
            self.name = name
            self.state = state
            self.text = text
        }
    }

    /// What a layer will get.
    public struct LayerPlan: Codable, Sendable, Equatable {
        /// The layer, as the status of the mount will show it.
        public var layer: MountStatus.Layer
        /// Whether its files will pass through.
        public var passthrough: Passthrough

        /// Whether the kernel will read and write a layer's ordinary files itself.
        public struct Passthrough: Codable, Sendable, Equatable {
            /// It will.
            public var enabled: Bool
            /// Why (not), for people.
            public var reason: String
        }
    }
}
