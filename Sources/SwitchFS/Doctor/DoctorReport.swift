/// What `switchfs doctor` found.
public struct DoctorReport: Codable, Sendable, Equatable {
    /// Nothing stands in the way of a mount.
    public var canMount: Bool
    public var machine: [Finding]
    /// Of the planned mount; empty where none was given.
    public var layers: [LayerPlan]
    /// How removed names of read-only layers are hidden; nil without a planned upper.
    public var whiteout: String?

    private enum CodingKeys: String, CodingKey {
        case machine, layers, whiteout
        case canMount = "can_mount"
    }

    /// One thing that was looked at.
    public struct Finding: Codable, Sendable, Equatable {
        public var name: String
        public var state: State
        public var text: String

        /// `problem`: no mount without a change here.
        public enum State: String, Codable, Sendable { case ok, warning, problem }

        init(_ name: String, _ state: State, _ text: String) {
            self.name = name
            self.state = state
            self.text = text
        }
    }

    /// What a layer will get.
    public struct LayerPlan: Codable, Sendable, Equatable {
        public var layer: MountStatus.Layer
        public var passthrough: Passthrough

        public struct Passthrough: Codable, Sendable, Equatable {
            public var enabled: Bool
            public var reason: String
        }
    }
}
