// What a program needs to write a branch selector, to set policies and to read reports comes with `import SwitchFS`.

@_exported public import struct LinuxSystem.PathRef
@_exported public import enum UnionCore.AheadMode
@_exported public import enum UnionCore.BranchChoice
@_exported public import protocol UnionCore.BranchSelector
@_exported public import enum UnionCore.CoherenceMode
@_exported public import enum UnionCore.CreatePolicy
@_exported public import enum UnionCore.LockPolicy
@_exported public import enum UnionCore.OrphanPolicy
@_exported public import struct UnionCore.Policies
@_exported public import enum UnionCore.ReadPolicy
@_exported public import enum UnionCore.RootChange
@_exported public import enum UnionCore.SelectedOperation
@_exported public import enum UnionCore.WhiteoutPolicy
