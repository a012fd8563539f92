// What is asked: a request that was validated, with the clocks and bounds it runs under. Values of
// any thread.

internal import FetchCache
package import FetchHTTP
package import FetchHTTP1
package import FetchTLS

/// What is asked. Two references, because a plan is handed on for every request.
package struct CallPlan: Sendable {
    package let target: Target
    /// Nil for the many requests that are GET and nothing but a target, under the client's clocks.
    let details: CallDetails?

    /// The plan of a GET without fields and content, under the client's clocks and limit.
    @inline(__always)
    package init(_ target: Target) {
        self.target = target
        details = nil
    }

    /// - Parameter bodyLimit: the largest whole body accepted; ignored for a streamed one.
    package init(
        head: RequestHead, content: RequestContent, clocks: SharedClocks, bodyLimit: Int,
        tls: TLSConfiguration? = nil, policy: CallPolicy? = nil
    ) {
        target = head.target
        // Two ways to secure a plain connection are one.
        let choice = head.target.isSecure ? tls.map { TLSChoice($0) } : nil
        details = CallDetails(head, content, clocks, bodyLimit, choice, policy)
    }
}

/// What a request has beside its target.
final class CallDetails: Sendable {
    let method: Method
    let headers: Headers
    let length: RequestBodyLength
    /// `Connection: close` was asked for.
    let saysClose: Bool
    let content: RequestContent
    let clocks: SharedClocks
    let bodyLimit: Int
    /// How its connection is to be secured, in place of what the client says.
    let tls: TLSChoice?
    /// What it says of retries and the like, in place of what the client says.
    let policy: CallPolicy?

    init(
        _ head: RequestHead, _ content: RequestContent, _ clocks: SharedClocks, _ bodyLimit: Int,
        _ tls: TLSChoice?, _ policy: CallPolicy?
    ) {
        method = head.method
        headers = head.headers
        length = head.body
        saysClose = head.saysClose
        self.content = content
        self.clocks = clocks
        self.bodyLimit = bodyLimit
        self.tls = tls
        self.policy = policy
    }

    /// A GET of the client's own, or a caller's with other fields.
    init(
        _ method: Method, _ headers: Headers, saysClose: Bool = false, _ clocks: SharedClocks,
        _ bodyLimit: Int, _ tls: TLSChoice?, _ policy: CallPolicy?
    ) {
        self.method = method
        self.headers = headers
        length = .none
        self.saysClose = saysClose
        content = .none
        self.clocks = clocks
        self.bodyLimit = bodyLimit
        self.tls = tls
        self.policy = policy
    }
}

/// A request's own word on TLS, with its hash. An object, because it is handed on with every call
/// that has one, and most have none.
package final class TLSChoice: Sendable {
    let configuration: TLSConfiguration
    let hash: UInt64

    init(_ configuration: TLSConfiguration) {
        self.configuration = configuration
        hash = UInt64(truncatingIfNeeded: configuration.hashValue)
    }

    /// Whether both ask for the same.
    static func isSame(_ one: TLSChoice?, _ other: TLSChoice?) -> Bool {
        guard let one, let other else { return one == nil && other == nil }
        return one === other || one.configuration == other.configuration
    }
}

extension CallDetails {
    /// What was asked, with these fields behind the caller's; a GET where nothing was said.
    convenience init(
        adding lines: [FieldLine], to asked: CallDetails?, clocks: SharedClocks, bodyLimit: Int
    ) {
        var headers = asked?.headers ?? Headers()
        for line in lines {
            do throws(FieldError) {
                try headers.append(line.name, Array(line.value))
            } catch {
                // It comes from a head that was read, or is the cache's own; without it the whole
                // answer comes.
                continue
            }
        }
        self.init(
            asked?.method ?? .get, headers, saysClose: asked?.saysClose ?? false, clocks,
            bodyLimit, asked?.tls, asked?.policy)
    }
}
