import FuseServer
import SystemPackage
import UnionCore

// From the engine's words to the stable ones of the JSON.

extension MountStatus.Layer {
    init(_ layer: LayerStatus, isUnionReadOnly: Bool) {
        self.init(
            index: layer.index, role: layer.isUpper ? .upper : .lower, path: layer.path,
            access: layer.isReadOnly || isUnionReadOnly ? .ro : .rw, filesystem: layer.filesystem,
            coherence: MountStatus.Coherence(
                mode: layer.coherence, reason: layer.coherenceReason),
            error: layer.failure.map { "\($0)" }, root: layer.rootChange)
    }
}

extension MountStatus.Passthrough {
    init(_ state: PassthroughState) {
        let agreed = "agreed on with the kernel; files of pseudo filesystems are served by requests"
        self.init(
            enabled: state.isEnabled, depth: state.depth, reason: state.isEnabled ? agreed : state.reason)
    }
}

extension MountStatus.OpenFile {
    init(_ file: OpenFileStatus) {
        self.init(
            path: file.path.map { "/" + $0 } ?? "(deleted)", layer: file.layer,
            realPath: file.realPath ?? "(deleted)", handles: file.handles, io: IO(file.io))
    }
}

extension MountStatus.OpenFile.IO {
    init(_ io: HandleIO) {
        self =
            switch io {
            case .passthrough: .passthrough
            case .mapped, .direct: .direct
            case .cached: .cached
            }
    }
}

extension Explanation {
    init(_ explanation: PathExplanation) {
        self.init(
            path: "/" + explanation.path, kind: Kind(rawValue: explanation.kind) ?? .unknown,
            owner: explanation.owner,
            layers: explanation.layers.map {
                Layer(
                    index: $0.index, path: $0.path, found: Layer.Found(rawValue: $0.found) ?? .nothing,
                    note: $0.note)
            },
            create: Decision(explanation.create), mkdir: Decision(explanation.mkdir),
            unlink: Decision(explanation.unlink), rename: Decision(explanation.rename))
    }
}

extension Explanation.Decision {
    init(_ outcome: PathExplanation.Outcome) {
        self =
            switch outcome {
            case .goes(let layer, let path, let reason): .goes(layer: layer, path: path, reason: reason)
            case .fails(let error, let reason): .fails(error: error.symbol, reason: reason)
            }
    }
}
