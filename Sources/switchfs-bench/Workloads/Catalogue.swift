/// All workloads, in the order of the reports.
enum Catalogue {
    static func all(_ size: Size) -> [Workload] {
        DataWorkloads.all(size) + NameWorkloads.all(size) + ListingWorkloads.all(size)
            + TreeWorkloads.all(size)
            + MakingWorkloads.all(size) + GitWorkloads.all(size) + ServerWorkloads.all(size)
            + CgroupWorkloads.all
    }
}
