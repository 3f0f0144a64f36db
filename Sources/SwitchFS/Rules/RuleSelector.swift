public import LinuxSystem
public import UnionCore

/// The branch selector that a rules file describes: the first rule whose glob matches decides.
///
/// The file is TOML, a `[[rule]]` for each rule; the manual, switchfs(8), has its words.
public struct RuleSelector: BranchSelector {
    let rules: ContiguousArray<Rule>

    /// One `[[rule]]`. What it leaves out is decided by the mount options.
    struct Rule: Sendable {
        var glob: Glob
        var create: CreatePolicy?
        var mkdir: CreatePolicy?
        var read: ReadPolicy?

        func choice(for operation: SelectedOperation) -> BranchChoice {
            switch operation {
            case .create: create.map(BranchChoice.create) ?? .mountDefault
            case .mkdir: mkdir.map(BranchChoice.create) ?? .mountDefault
            case .read: read.map(BranchChoice.read) ?? .mountDefault
            }
        }
    }

    /// What the first rule says whose glob matches the path; `BranchChoice.mountDefault` where none does, or where that
    /// one says nothing of the operation.
    public func choose(_ operation: SelectedOperation, path: PathRef) -> BranchChoice {
        for rule in rules where rule.glob.matches(path) {
            return rule.choice(for: operation)
        }
        return .mountDefault
    }
}

extension PathRef: GlobSubject {}
