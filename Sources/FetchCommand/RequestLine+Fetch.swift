// From a line's request to the library's. Pure.

internal import Fetch

extension RequestLine {
    /// The request that the library is asked to send; what it refuses later, it refuses itself.
    var request: Request {
        get throws(Refusal) {
            guard let method = HTTPRequest.Method(method) else {
                throw Refusal(
                    id: id, code: .invalidRequest, message: "\"method\" is not a token")
            }
            var request = Request(method, url)
            for field in fields {
                do {
                    try request.headers.append(field.name, field.value)
                } catch {
                    throw Refusal(id: id, code: .invalidRequest, message: "\(error)")
                }
            }
            request.body = body.map { .bytes($0) }
            request.totalTimeout = timeout
            if let cache {
                guard let mode = RequestCacheMode(rawValue: cache) else {
                    let modes = RequestCacheMode.allCases.map(\.rawValue).joined(separator: ", ")
                    throw Refusal(
                        id: id, code: .invalidRequest, message: "\"cache\" is none of \(modes)")
                }
                request.cache = mode
            }
            return request
        }
    }
}
