/// A union directory as an operation that changes it finds it: open, with what stands under the name.
struct Target: ~Copyable {
    let directory: Node
    var view: DirectoryView
    let lookup: NameLookup
}
