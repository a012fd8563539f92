// The one place where the rooms' facts become `FetchError`s.

package import FetchEngine
internal import FetchHTTP1
internal import FetchTLS
internal import FetchTransport

extension FetchError {
    /// The error that a caller gets for an engine's failure: `CancellationError` for a cancelled
    /// call, an upload's own error as it was, else a `FetchError`.
    static func made(of failure: CallFailure) -> any Error {
        switch failure.error {
        case .cancelled: return CancellationError()
        case .uploadFailed(let error): return error
        default: break
        }
        let facts = Facts(failure.error)
        let elapsed = Duration.nanoseconds(failure.elapsedNanoseconds)
        let phase = Phase(failure.phase)
        var records = failure.lost.map { lost in
            let facts = Facts(lost.ending)
            return AttemptRecord(
                number: lost.number, code: facts.code, phase: Phase(lost.phase),
                reason: facts.reason, status: facts.response?.statusCode ?? facts.status,
                elapsed: .nanoseconds(lost.elapsedNanoseconds))
        }
        // A call that was refused at the door attempted nothing.
        if phase != .none {
            records.append(
                AttemptRecord(
                    number: failure.attempts, code: facts.code, phase: phase,
                    reason: facts.reason, status: facts.response?.statusCode, elapsed: elapsed))
        }
        return FetchError(
            facts.code, phase: phase, reason: facts.reason,
            // A call that ended before it was planned has no method either.
            method: failure.target == nil ? nil : failure.method.name,
            url: failure.target?.description, attempts: records, elapsed: elapsed,
            systemError: facts.systemError, response: facts.response,
            retryRefusal: failure.refusal, retryAfter: facts.retryAfter)
    }

    /// A reactor that can't be used.
    static func made(of error: SystemError) -> FetchError {
        switch error {
        case .forked: FetchError(.forked, reason: "\(error)")
        case .closed: FetchError(.clientClosed, reason: "\(error)")
        case .notPollable, .failed: FetchError(.system, reason: "\(error)", systemError: error)
        }
    }

    /// A call's error as code and sentence.
    private struct Facts {
        let code: Code
        let reason: String
        let systemError: SystemError?
        var response: Response?
        var status: Int?
        var retryAfter: Duration?

        init(_ code: Code, _ reason: String, _ systemError: SystemError? = nil) {
            self.code = code
            self.reason = reason
            self.systemError = systemError
        }

        init(_ ending: LostAttempt.Ending) {
            switch ending {
            case .failed(let error):
                self.init(error)
            case .status(let status):
                self.init(.unacceptableStatus, "status \(status)")
                self.status = status
            }
        }

        init(_ error: CallError) {
            switch error {
            case .timedOut(let clock):
                self.init(clock)
            case .connect(let connectError):
                self.init(connectError)
            case .handshake(.broken(let systemError)):
                self.init(.reset, "\(systemError) during the TLS handshake", systemError)
            case .handshake(.tls(let failure)):
                self.init(failure)
            case .closedBeforeResponse:
                self.init(.closedBeforeResponse, "the peer closed before a response")
            case .broken(let systemError, let duringBody):
                let place = duringBody ? " in the middle of the body" : ""
                self.init(.reset, "\(systemError)\(place)", systemError)
            case .malformed(let messageError), .truncated(let messageError):
                self.init(messageError)
            case .bodyTooLarge(let limit):
                self.init(.bodyTooLarge, "the body is larger than \(limit) bytes")
            case .waitingLineFull(let limit):
                self.init(.overloaded, "\(limit) calls wait already")
            case .tooManyOrigins(let limit):
                self.init(.overloaded, "\(limit) origins are in use already")
            case .circuitOpen(let nanoseconds):
                self.init(.circuitOpen, "the origin has failed repeatedly and is left alone")
                retryAfter = .nanoseconds(nanoseconds)
            case .rateLimited(let nanoseconds):
                self.init(.rateLimited, "its turn would come after its clocks have run out")
                retryAfter = .nanoseconds(nanoseconds)
            case .impolite:
                self.init(.skipped, "the site asks for a longer crawl-delay than is kept")
            case .attemptsSpent(let whole):
                self.init(.retriesSpent, "the last response has status \(whole.head.status)")
                response = Response(whole: whole)
            case .notCached:
                self.init(.notCached, "no stored response can be used, and none else was wanted")
            case .cancelled:
                self.init(.clientClosed, "the call was cancelled")
            case .clientClosed:
                self.init(.clientClosed, "the client is shut down")
            case .uploadFailed(let uploadError):
                self.init(.invalidRequest, "the upload failed: \(uploadError)")
            case .uploadLength(let declared, let given):
                self.init(
                    .uploadLengthMismatch,
                    "the upload declared \(declared) bytes and gave \(given)")
            case .uploadTrailers(let requestError):
                self.init(.invalidRequest, "trailers: \(requestError)")
            }
        }

        private init(_ clock: ClockName) {
            switch clock {
            case .queue: self.init(.queueTimeout, "no connection came free in time")
            case .dns: self.init(.dnsTimeout, "no name server answered in time")
            case .connect: self.init(.connectTimeout, "no connection was made in time")
            case .tls: self.init(.tlsTimeout, "the TLS handshake was not done in time")
            case .writeIdle: self.init(.writeTimeout, "the peer took no byte for too long")
            case .firstByte: self.init(.firstByteTimeout, "no response began in time")
            case .readIdle: self.init(.readTimeout, "no byte of the response came for too long")
            case .total: self.init(.totalTimeout, "the call took too long")
            }
        }

        private init(_ error: ConnectError) {
            let failures: [ConnectError.AddressFailure]
            switch error {
            case .nameNotResolved(let nameError):
                self.init(nameError)
                return
            case .failed(let all):
                failures = all
            }
            // The last address speaks for all, of those that were tried; the reason lists each.
            let tried = failures.last { $0.failure != .refusedByPolicy } ?? failures.last
            switch tried?.failure {
            case .refused:
                self.init(.refused, "\(error)")
            case .unreachable(let systemError):
                self.init(.unreachable, "\(error)", systemError)
            case .timedOut:
                self.init(.connectTimeout, "\(error)")
            case .outOfResources(let systemError):
                self.init(.outOfResources, "\(error)", systemError)
            case .refusedByPolicy:
                self.init(.addressRefused, "\(error)")
            case .system(.forked):
                self.init(.forked, "\(error)")
            case .system(let systemError):
                self.init(.connectFailed, "\(error)", systemError)
            case nil:
                self.init(.connectFailed, "\(error)")
            }
        }

        private init(_ failure: TLSFailure) {
            let code: Code =
                switch failure {
                case .expired: .certificateExpired
                case .notYetValid: .certificateNotYetValid
                case .selfSigned: .selfSignedCertificate
                case .unknownAuthority: .unknownAuthority
                case .wrongHost: .wrongHost
                case .revoked: .certificateRevoked
                case .pinMismatch: .pinMismatch
                case .stapleMissing, .certificateRefused: .certificateRefused
                case .protocolVersion: .tlsVersion
                case .alertReceived: .tlsAlert
                case .closedInHandshake: .tlsClosed
                case .truncated: .truncatedBody
                case .notTLS, .other: .tlsFailed
                case .noTrustStore: .noTrustStore
                case .badClientCertificate, .badClientKey: .clientCertificate
                case .badTrust, .invalidConfiguration: .invalidConfiguration
                }
            self.init(code, "\(failure)")
        }

        private init(_ error: NameError) {
            switch error.fact {
            case .noSuchName, .noAddresses, .badName:
                self.init(.nameNotResolved, "\(error)")
            case .timedOut:
                self.init(.dnsTimeout, "\(error)")
            case .serverFailure, .refused, .malformedAnswer, .unreachable, .resolverFailed:
                self.init(.dnsFailed, "\(error)")
            case .tooManyLookups:
                self.init(.overloaded, "\(error)")
            case .outOfResources:
                self.init(.outOfResources, "\(error)")
            case .closed:
                self.init(.clientClosed, "\(error)")
            }
        }

        private init(_ error: MessageError) {
            switch error {
            case .headTooLarge, .tooManyFields, .startLineTooLong, .trailersTooLarge:
                self.init(.headTooLarge, "\(error)")
            case .truncatedBody:
                self.init(.truncatedBody, "\(error)")
            case .closedBeforeResponse:
                self.init(.closedBeforeResponse, "\(error)")
            case .invalidStatusLine, .unsupportedVersion, .invalidStatus, .unexpectedUpgrade,
                .bareLineFeed, .bareCarriageReturn, .controlCharacter, .foldedLine,
                .invalidFieldName, .spaceBeforeColon, .missingColon, .invalidContentLength,
                .conflictingContentLength, .lengthAndTransferEncoding,
                .unsupportedTransferEncoding, .transferEncodingInOldVersion, .invalidChunkSize,
                .invalidChunkExtension, .invalidChunkEnd, .tooManyInterimResponses,
                .chunkLineTooLong, .truncatedHead:
                self.init(.malformedResponse, "\(error)")
            }
        }
    }
}

extension FetchError.Phase {
    package init(_ phase: CallPhase) {
        switch phase {
        case .none: self = .none
        case .queue: self = .queue
        case .dns: self = .dns
        case .connect: self = .connect
        case .tls: self = .tls
        case .write: self = .write
        case .firstByte: self = .firstByte
        case .body: self = .body
        }
    }
}
