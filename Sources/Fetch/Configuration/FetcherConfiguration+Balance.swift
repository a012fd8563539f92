// The part of a configuration that is about several endpoints behind one origin. Values.

internal import FetchEngine
internal import FetchHTTP1
internal import FetchPolicy

extension FetcherConfiguration {
    func validateBalance() throws {
        var origins: Set<String> = []
        for (origin, endpoints) in endpoints {
            let key = "endpoints[\"\(origin)\"]"
            let name = try place(origin, key)
            guard origins.insert("\(name.isSecure)\(name.host):\(name.port)").inserted else {
                throw invalid(key, "is there under another spelling")
            }
            if let found = Balancer.invalidSetting(endpoints) {
                throw invalid(
                    found.key.replacingPrefix("endpoints", with: key), found.reason)
            }
            for endpoint in endpoints {
                let target = try place(endpoint.url, key + ".url")
                // An https URL's request must not leave in the clear, nor the other way round.
                guard target.isSecure == name.isSecure else {
                    throw invalid(key + ".url", "\(endpoint.url) has another scheme")
                }
            }
        }
    }

    /// A URL that is scheme, host and port, and nothing more.
    private func place(_ url: String, _ key: String) throws -> Target {
        let target: Target
        do throws(TargetError) {
            target = try Target(url)
        } catch {
            throw invalid(key, "\(url): \(error)")
        }
        guard target.pathAndQuery == "/" else {
            throw invalid(key, "\(url) must be scheme, host and port only")
        }
        return target
    }

    /// What the engine is told; of a valid configuration.
    var balancedOrigins: [BalancedOrigin] {
        endpoints.compactMap { origin, endpoints in
            guard let name = try? Target(origin) else { return nil }
            let targets = endpoints.compactMap { try? Target($0.url) }
            guard targets.count == endpoints.count else { return nil }
            return BalancedOrigin(
                name, origins[name.host]?.balance ?? balance, endpoints, at: targets)
        }
    }
}

extension String {
    fileprivate func replacingPrefix(_ prefix: String, with other: String) -> String {
        hasPrefix(prefix) ? other + dropFirst(prefix.count) : self
    }
}
