// swift-tools-version: 6.2
import PackageDescription

/// Settings that every Swift module of switchfs is built with.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let argumentParser: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

let package = Package(
    name: "switchfs",
    products: [
        .executable(name: "switchfs", targets: ["switchfs"]),
        .library(name: "SwitchFS", targets: ["SwitchFS"]),
        .library(name: "SwitchTestKit", targets: ["SwitchTestKit"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
    ],
    targets: [
        .systemLibrary(name: "CFuse3", pkgConfig: "fuse3", providers: [.apt(["libfuse3-dev"])]),
        .target(name: "CFuseShims", dependencies: ["CFuse3"]),
        .target(name: "CLinux", cSettings: [.define("_GNU_SOURCE")]),
        .target(
            name: "LinuxSystem", dependencies: ["CLinux", system], swiftSettings: strict),
        .target(
            name: "UnionCore", dependencies: ["LinuxSystem", system], swiftSettings: strict),
        .target(
            name: "LayerWatch", dependencies: ["UnionCore", "LinuxSystem", system],
            swiftSettings: strict),
        .target(
            name: "FuseServer",
            dependencies: ["CFuse3", "CFuseShims", "UnionCore", "LinuxSystem", system, logging],
            swiftSettings: strict),
        .target(
            name: "SwitchFS",
            dependencies: [
                "UnionCore", "LayerWatch", "FuseServer", "LinuxSystem", system, logging,
            ],
            swiftSettings: strict),
        .target(
            name: "SwitchTestKit", dependencies: ["CTestCalls", system],
            swiftSettings: strict),
        .target(name: "CTestCalls", cSettings: [.define("_GNU_SOURCE")]),
        // Not Sources/switchfs: a disk that ignores case can't hold that beside Sources/SwitchFS.
        .executableTarget(
            name: "switchfs", dependencies: ["SwitchFS", argumentParser], path: "Sources/Command",
            swiftSettings: strict),
        // For measuring, not for installing: no product.
        .target(name: "CFloor", dependencies: ["CFuse3", "CFuseShims"]),
        .executableTarget(
            name: "switchfs-bench",
            dependencies: [
                "SwitchTestKit", "CTestCalls", "CFloor", "LinuxSystem", argumentParser, system,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "switchfs-liar", dependencies: ["CFuse3"], path: "Tests/Support/Liar",
            cSettings: [.define("_GNU_SOURCE"), .define("_FILE_OFFSET_BITS", to: "64")]),
        .target(name: "CScarcity", path: "Tests/Support/CScarcity", cSettings: [.define("_GNU_SOURCE")]),
        .executableTarget(
            name: "switchfs-embedder", dependencies: ["SwitchFS", "SwitchTestKit", "CScarcity"],
            path: "Tests/Support/Embedder", swiftSettings: strict),
        .executableTarget(
            name: "switchfs-fuzz",
            dependencies: ["SwitchFS", "FuseServer", "UnionCore", "LinuxSystem", "CTestCalls", system],
            path: "Tests/Fuzz/Program", swiftSettings: strict),
        .testTarget(
            name: "LinuxSystemTests", dependencies: ["LinuxSystem", "SwitchTestKit", "CTestCalls", system],
            swiftSettings: strict),
        .testTarget(
            name: "UnionCoreTests",
            dependencies: ["UnionCore", "LinuxSystem", "SwitchTestKit", "CTestCalls", system],
            swiftSettings: strict),
        .testTarget(
            name: "LayerWatchTests",
            dependencies: ["LayerWatch", "UnionCore", "LinuxSystem", "SwitchTestKit", "CTestCalls", system],
            swiftSettings: strict),
        .testTarget(
            name: "SwitchFSTests", dependencies: ["SwitchFS", "UnionCore", "LinuxSystem", system, logging],
            swiftSettings: strict),
        .testTarget(
            name: "PackageTests", dependencies: ["SwitchTestKit", system], swiftSettings: strict),
        .testTarget(
            name: "BenchTests", dependencies: ["switchfs-bench", "SwitchTestKit"], swiftSettings: strict),
        .testTarget(
            name: "MountTests", dependencies: ["SwitchTestKit", system], exclude: ["README.md"],
            swiftSettings: strict),
    ]
)
