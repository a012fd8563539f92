// What is asked: a request that was validated, with the clocks and bounds it runs under. Values of
// any thread.

package import FetchHTTP
package import FetchHTTP1

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
        head: RequestHead, content: RequestContent, clocks: SharedClocks, bodyLimit: Int
    ) {
        target = head.target
        details = CallDetails(head, content, clocks, bodyLimit)
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

    init(
        _ head: RequestHead, _ content: RequestContent, _ clocks: SharedClocks, _ bodyLimit: Int
    ) {
        method = head.method
        headers = head.headers
        length = head.body
        saysClose = head.saysClose
        self.content = content
        self.clocks = clocks
        self.bodyLimit = bodyLimit
    }
}
