import Logging
import UnionCore

/// What the engine finds out that a person can mend, in words.
enum NoticeText {
    static func log(_ notice: UnionNotice, to logger: Logger) {
        switch notice {
        case .notFollowed(let path, let layer, let reason):
            logger.warning(
                "/\(path) gives EPERM: \(reason.text(inLayer: layer)); `switchfs explain` tells of others like it"
            )
        case .root(let layer, let path, let change?):
            logger.warning("\(root(layer, path, change))")
        case .ignored(let step, let path, let error):
            let at = path.map { "/\($0): " } ?? ""
            logger.warning("\(at)\(text(step))\(error.map { ": \($0)" } ?? "")")
        case .root(let layer, let path, nil):
            logger.notice("layer \(layer): \(path) is the directory that the union was given again")
        }
    }

    private static func text(_ step: IgnoredStep) -> String {
        switch step {
        case .dropFromKernel: "the kernel did not drop what it keeps; it may show what was there before"
        case .finishRename:
            "a rename that was interrupted could not be finished, as a layer fails; the next mount tries again"
        case .synchronizeRename: "a directory that was renamed may not be on the disk yet"
        }
    }

    static func root(_ layer: Int, _ path: String, _ change: RootChange) -> String {
        let what =
            switch change {
            case .gone: "\(path) is not there any more"
            case .replaced: "\(path) is another directory now"
            case .covered: "something else is mounted at \(path)"
            }
        return
            "layer \(layer): \(what); the union goes on with the directory that was there when it was mounted. "
            + "To use what is there now, unmount the union and mount it again"
    }
}
