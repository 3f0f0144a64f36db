/// A union directory as an operation that changes it finds it: open, with the lookup of the name.
struct Target: ~Copyable {
    let directory: Node
    var view: DirectoryView
    let lookup: NameLookup
}
