// How one request uses the cache, and what a caller wants forgotten. Values; any thread.

internal import FetchCache
internal import FetchEngine
internal import FetchStore

/// How a request uses the cache: the modes of the Fetch standard.
public enum RequestCacheMode: String, Sendable, Hashable, CaseIterable {
    /// What RFC 9111 says.
    case `default`
    /// As if there were no cache: nothing stored is looked at, and the answer isn't stored.
    case noStore = "no-store"
    /// Nothing stored is looked at; the answer is stored.
    case reload
    /// Whatever is stored is validated before it is used.
    case noCache = "no-cache"
    /// Whatever is stored is used, however old; only without it is the origin asked.
    case forceCache = "force-cache"
    /// Whatever is stored is used, however old; without it the request fails as
    /// ``FetchError/Code/notCached``, and nothing is sent.
    case onlyIfCached = "only-if-cached"

    var mode: CacheMode {
        switch self {
        case .default: .standard
        case .noStore: .noStore
        case .reload: .reload
        case .noCache: .noCache
        case .forceCache: .forceCache
        case .onlyIfCached: .onlyIfCached
        }
    }
}

/// Which stored responses are to be forgotten, whoever asked for them.
public enum PurgeScope: Sendable, Hashable {
    /// Those of one URL; its fragment doesn't count.
    case url(String)
    /// Those whose URL begins like this. Scheme and host are compared in lower case.
    case prefix(String)
    /// All of them.
    case everything

    func purge() throws -> CachePurge {
        switch self {
        case .url(let url):
            do throws(TargetError) {
                return .resource(try Target(url))
            } catch {
                throw FetchError(.invalidURL, reason: "\(error)")
            }
        case .prefix(let prefix): return .prefix(Self.canonical(prefix))
        case .everything: return .everything
        }
    }

    /// A prefix that is a URL, as URLs are stored.
    private static func canonical(_ prefix: String) -> String {
        do throws(TargetError) {
            let target = try Target(prefix)
            // `http://host` is the beginning of `http://host:8080/` as well.
            return target.hadEmptyPath ? prefix.lowercased() : target.resourceText
        } catch {
            return prefix
        }
    }
}

extension Fetcher {
    /// Forgets stored responses, in memory at once and behind it as soon as may be; nothing that is
    /// named is found meanwhile.
    ///
    /// - Throws: ``FetchError`` with code `invalidURL`, or `clientClosed` when the reactor has
    ///   ended.
    public func purge(_ scope: PurgeScope) async throws {
        let purge = try scope.purge()
        let isDone: Bool? = await onReactor { engine, done in
            engine.purge(purge)
            done(true)
        } orElse: {
            nil
        }
        if isDone == nil { throw Fetcher.closed(engine.reactor) }
    }
}
