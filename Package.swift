// swift-tools-version: 6.2
// A room is a target. Which room may import which is DESIGN's table, held by the tidy tests;
// `swift build --explicit-target-dependency-import-check error` holds the transitive closure.

import PackageDescription

/// The language everything speaks. Warnings are errors where FETCH_STRICT is set, as CI does.
let testLanguage: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("InferIsolatedConformances"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableExperimentalFeature("Lifetimes"),
    ] + (Context.environment["FETCH_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)])

/// What is shipped, and what tests stand on, marks every unsafe expression as well. Tests don't:
/// the testing macros expand to expressions that can't be marked.
let language: [SwiftSetting] = testLanguage + [.strictMemorySafety()]

let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let arguments = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")

/// A room: `Sources/Name`, module `FetchName`.
func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(
        name: "Fetch\(name)", dependencies: dependencies, path: "Sources/\(name)",
        swiftSettings: language)
}

/// The tests of a room: `Tests/NameTests`.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: dependencies, path: "Tests/\(name)Tests",
        swiftSettings: testLanguage)
}

let package = Package(
    name: "swift-fetch",
    products: [
        .library(name: "Fetch", targets: ["Fetch"]),
        .executable(name: "fetch", targets: ["FetchCommand"]),
        .executable(name: "bench", targets: ["Bench"]),
        .executable(name: "mockserver", targets: ["MockServer"]),
    ],
    traits: [
        .default(enabledTraits: ["IDN", "PublicSuffix", "SQLite"]),
        .trait(name: "IDN", description: "Host names outside ASCII, through libidn2."),
        .trait(name: "PublicSuffix", description: "Registrable domains, through libpsl."),
        .trait(name: "SQLite", description: "The cache on disk, through SQLite."),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.1.0"),
    ],
    targets: [
        .target(name: "CFetchLinux", path: "Sources/CLinux"),
        room("Bytes", []),
        room("Time", []),
        .systemLibrary(
            name: "CFetchAres", path: "Sources/CAres", pkgConfig: "libcares",
            providers: [.apt(["libc-ares-dev"])]),
        .systemLibrary(
            name: "CFetchIdn2", path: "Sources/CIdn2", pkgConfig: "libidn2",
            providers: [.apt(["libidn2-dev"])]),
        room("IDN", [.target(name: "CFetchIdn2", condition: .when(traits: ["IDN"]))]),
        .systemLibrary(
            name: "CFetchPsl", path: "Sources/CPsl", pkgConfig: "libpsl",
            providers: [.apt(["libpsl-dev"])]),
        room(
            "PublicSuffix",
            [.target(name: "CFetchPsl", condition: .when(traits: ["PublicSuffix"]))]),
        room("HTTP", ["FetchBytes", "FetchIDN", httpTypes]),
        room("HTTP1", ["FetchHTTP", "FetchBytes"]),
        room("Reactor", ["FetchTime", "CFetchLinux"]),
        .systemLibrary(
            name: "CFetchOpenSSL", path: "Sources/COpenSSL", pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"])]),
        room("Crypto", ["FetchBytes", "CFetchOpenSSL"]),
        room("TLS", ["FetchBytes", "CFetchOpenSSL"]),
        room(
            "Transport",
            ["FetchReactor", "FetchTLS", "FetchBytes", "FetchTime", "CFetchAres"]),
        room("Policy", ["FetchHTTP", "FetchTime", "FetchBytes"]),
        room("Cache", ["FetchHTTP", "FetchTime", "FetchBytes"]),
        .systemLibrary(
            name: "CFetchSQLite", path: "Sources/CSQLite", pkgConfig: "sqlite3",
            providers: [.apt(["libsqlite3-dev"])]),
        room(
            "Store",
            [
                "FetchCache", "FetchReactor", "FetchHTTP", "FetchBytes", "FetchTime", "FetchCrypto",
                .target(name: "CFetchSQLite", condition: .when(traits: ["SQLite"])),
            ]),
        room("Road", ["FetchHTTP", "FetchTime", "FetchPolicy"]),
        room(
            "Engine",
            [
                "FetchRoad", "FetchPolicy", "FetchCache", "FetchStore", "FetchTransport",
                "FetchTLS", "FetchReactor", "FetchHTTP1", "FetchHTTP", "FetchTime", "FetchBytes",
            ]),
        .target(
            name: "Fetch",
            dependencies: [
                "FetchEngine", "FetchPolicy", "FetchCache", "FetchStore", "FetchTransport",
                "FetchTLS", "FetchReactor", "FetchHTTP1", "FetchPublicSuffix", "FetchHTTP",
                "FetchTime", "FetchBytes", httpTypes,
            ],
            path: "Sources/Fetch", swiftSettings: language),
        .executableTarget(
            name: "FetchCommand",
            dependencies: [
                "Fetch", "FetchEngine", "FetchPolicy", "FetchReactor", "FetchTime", "FetchBytes",
                "CFetchLinux", httpTypes, arguments,
            ],
            path: "Sources/FetchCommand", swiftSettings: language),
        .target(name: "CBench", path: "Benchmarks/CBench"),
        .executableTarget(
            name: "Bench",
            dependencies: [
                "CBench", "Fetch", "TestSupport", "FetchEngine", "FetchPolicy", "FetchTransport",
                "FetchHTTP", "FetchReactor", "FetchTime", "FetchBytes", "CFetchLinux", httpTypes,
                arguments,
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            path: "Benchmarks/Bench", swiftSettings: language),
        .target(
            name: "TestSupport",
            dependencies: [
                "Fetch", "FetchEngine", "FetchTransport", "FetchReactor", "FetchTLS", "FetchHTTP1",
                "FetchHTTP", "FetchTime", "FetchBytes", "CFetchLinux", "CFetchOpenSSL",
            ],
            path: "Tests/TestSupport", swiftSettings: language),
        .executableTarget(
            name: "MockServer",
            dependencies: ["TestSupport", "FetchReactor", arguments],
            path: "Tests/MockServer", swiftSettings: language),
        .executableTarget(
            name: "ReactorProbe", dependencies: ["FetchReactor", "FetchTime", "CFetchLinux"],
            path: "Tests/ReactorProbe", swiftSettings: language),
        .executableTarget(
            name: "FetchProbe",
            dependencies: [
                "Fetch", "FetchTransport", "FetchReactor", "FetchTLS", "FetchTime", "FetchBytes",
                "TestSupport", "CFetchLinux", httpTypes,
            ],
            path: "Tests/FetchProbe", swiftSettings: language),
        .executableTarget(
            name: "StoreProbe",
            dependencies: [
                "FetchStore", "FetchCache", "FetchCrypto", "FetchHTTP", "FetchTime", "FetchBytes",
                "TestSupport", "CFetchLinux",
            ],
            path: "Tests/StoreProbe", swiftSettings: testLanguage),
        tests("Bytes", ["FetchBytes"]),
        tests("Time", ["FetchTime"]),
        tests("HTTP", ["FetchHTTP", "FetchIDN", "FetchBytes", httpTypes]),
        tests("PublicSuffix", ["FetchPublicSuffix"]),
        tests("HTTP1", ["FetchHTTP1", "FetchHTTP", "FetchBytes"]),
        tests("Reactor", ["FetchReactor", "FetchTime", "CFetchLinux", "TestSupport"]),
        tests("Crypto", ["FetchCrypto", "FetchBytes"]),
        tests("TLS", ["FetchTLS", "FetchBytes", "TestSupport"]),
        tests(
            "Transport",
            [
                "FetchTransport", "FetchReactor", "FetchTLS", "FetchTime", "FetchBytes",
                "FetchHTTP", "TestSupport", "CFetchLinux",
            ]),
        tests("Policy", ["FetchPolicy", "FetchHTTP", "FetchTime", "FetchBytes"]),
        tests(
            "Cache", ["FetchCache", "FetchHTTP", "FetchTime", "FetchBytes", "CFetchLinux"]),
        tests(
            "Store",
            [
                "FetchStore", "FetchCache", "FetchCrypto", "FetchReactor", "FetchHTTP", "FetchTime",
                "FetchBytes", "StoreProbe", "TestSupport",
                .target(name: "CFetchSQLite", condition: .when(traits: ["SQLite"])),
            ]),
        tests("Road", ["FetchRoad", "FetchPolicy", "FetchHTTP", "FetchTime"]),
        tests(
            "Engine",
            [
                "FetchEngine", "FetchPolicy", "FetchCache", "FetchStore", "FetchTransport",
                "FetchReactor", "FetchHTTP1", "FetchHTTP", "FetchTime", "FetchBytes", "TestSupport",
            ]),
        tests(
            "Fetch",
            [
                "Fetch", "FetchEngine", "FetchTransport", "FetchReactor", "FetchTime",
                "FetchBytes", "TestSupport", "CFetchLinux", httpTypes,
            ]),
        tests(
            "Simulation",
            [
                "Fetch", "FetchEngine", "FetchTransport", "FetchReactor", "FetchTime",
                "FetchBytes", "TestSupport", httpTypes,
            ]),
        tests(
            "Behaviour",
            [
                "Fetch", "FetchPolicy", "FetchTransport", "FetchReactor", "FetchHTTP", "FetchTime",
                "FetchBytes", "TestSupport", "FetchProbe", "Bench", "MockServer", "CFetchLinux",
                httpTypes,
            ]),
        tests("Bench", ["Bench"]),
        .testTarget(
            name: "CommandTests", dependencies: ["Fetch", "FetchCommand"],
            path: "Tests/CommandTests", exclude: ["Drive"], swiftSettings: testLanguage),
        .testTarget(
            name: "TidyTests", path: "Tests/TidyTests", exclude: ["Fixtures"],
            swiftSettings: testLanguage),
    ],
    swiftLanguageModes: [.v6]
)
