// What the client says it is made of.

import Fetch
import Testing

struct VersionsTests {
    @Test func `all three versions are told, as numbers of releases that are new enough`() throws {
        let versions = Versions.current
        #expect(versions.fetch == FetchVersion.current)
        #expect(versions.openSSL.hasPrefix("OpenSSL "))
        let number = try #require(versions.openSSL.split(separator: " ").dropFirst().first)
        #expect(try #require(Int(number.prefix { $0 != "." })) >= 3)
        let parts = versions.cAres.split(separator: ".").compactMap { Int($0) }
        #expect(parts.count == 3)
        #expect(parts[0] > 1 || parts[1] >= 18)
        #expect(versions.description.contains(versions.cAres))
    }
}
