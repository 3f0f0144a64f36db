internal import LinuxSystem
internal import SystemPackage

/// The layers to try for a new object, in this order.
struct Candidates {
    var first: Layer
    /// Tried if the first refuses.
    var second: Layer?
    /// Taken if something hidden has the name in the first.
    var substitute: Layer?

    /// The layer to try next after the first has failed with the error. nil: none.
    func other(after error: Errno) -> Layer? {
        if error == .improperLink { return substitute }
        return Self.isRefusal(error) ? second : nil
    }

    /// Whether the error says that a layer can't take a new object. Then the second layer is tried.
    static func isRefusal(_ error: Errno) -> Bool {
        switch error {
        case .notPermitted, .permissionDenied, .readOnlyFileSystem, .noFunction, .notSupported,
            .invalidArgument:
            true
        default: false
        }
    }
}

extension Changes {
    /// Where a new object of that name goes. EROFS: no layer may be written. EPERM: a rule denies it.
    func candidates(
        for operation: SelectedOperation, _ name: PathRef, in directory: Node,
        _ view: borrowing DirectoryView
    ) throws(Errno) -> Candidates {
        switch try createPolicy(for: operation, name, in: directory) {
        case .upper: return Candidates(first: try requiredUpper())
        case .layer(let index): return Candidates(first: try layer(numbered: index))
        case .deny: throw .notPermitted
        case .lower:
            // A directory that only the upper has can take new objects only there.
            return Candidates(first: try lowerOrUpper(in: view), substitute: stack.upper)
        case .fallback:
            guard let lower = topmostLower(in: view) else { return Candidates(first: try requiredUpper()) }
            return Candidates(first: lower, second: stack.upper, substitute: stack.upper)
        }
    }

    private func createPolicy(
        for operation: SelectedOperation, _ name: PathRef, in directory: Node
    ) throws(Errno) -> CreatePolicy {
        if let selector = policies.selector {
            let path = try resolver.path(of: name, in: directory)
            if case .create(let policy) = selector.choose(operation, path: path.ref) { return policy }
        }
        return operation == .mkdir ? policies.mkdir : policies.create
    }

    private func requiredUpper() throws(Errno) -> Layer {
        guard let upper = stack.upper else { throw .readOnlyFileSystem }
        return upper
    }

    private func lowerOrUpper(in view: borrowing DirectoryView) throws(Errno) -> Layer {
        if let lower = topmostLower(in: view) { return lower }
        return try requiredUpper()
    }

    private func layer(numbered index: Int) throws(Errno) -> Layer {
        guard index >= 0 && index < stack.count else { throw .readOnlyFileSystem }
        return stack[index]
    }

    /// The topmost lower that may be written; if none may, the topmost.
    private func topmostLower(in view: borrowing DirectoryView) -> Layer? {
        var topmost: Layer?
        for backing in view.backings where !backing.layer.isUpper {
            if !backing.layer.isReadOnly { return backing.layer }
            topmost = topmost ?? backing.layer
        }
        return topmost
    }
}
