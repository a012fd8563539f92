// Presets and the checking of settings: CFG-01 to CFG-04, CFG-10, POOL-04. Pure.

import FetchPolicy
import Testing

struct PresetTests {
    private func delays(_ preset: ResiliencePreset, _ count: Int) -> [Duration] {
        (1...count).map { preset.retry.backoff.delay(afterFailures: $0) }
    }

    @Test func `CFG-01 afetch: three attempts, one request a second to each domain`() {
        let preset = ResiliencePreset.afetch
        #expect(preset.retry.maxAttempts == 3)
        #expect(delays(preset, 2) == [.milliseconds(200), .milliseconds(400)])
        #expect(delays(preset, 20).last == .seconds(30))
        #expect(preset.retry.statuses == .serverErrors)
        guard case .leakyBucket(let rate, shaping: .meter) = preset.domainLimit else {
            Issue.record("its limiter is a leaky bucket used as a meter")
            return
        }
        #expect(rate == Rate(1, per: .seconds(1)))
    }

    @Test func `CFG-02 the REST client: three attempts, 1 s doubled up to 60 s, five methods`() {
        let preset = ResiliencePreset.restClient
        #expect(preset.retry.maxAttempts == 3)
        #expect(delays(preset, 8) == [1, 2, 4, 8, 16, 32, 60, 60].map { .seconds($0) })
        #expect(preset.retry.statuses == [408, 429, 500, 502, 503, 504])
        #expect(preset.retry.methods == .only(["GET", "POST", "PUT", "DELETE", "PATCH"]))
        guard case .tokenBucket(let rate, burst: 20) = preset.clientLimit else {
            Issue.record("ten a second, twenty at once")
            return
        }
        #expect(rate == .perSecond(10))
        #expect(preset.connections == .fixed(100))
        #expect(preset.breaker?.consecutiveFailures == 5)
        #expect(preset.breaker?.coolDown == .seconds(60))
        #expect(preset.idleConnections == 20)
        #expect(preset.idleTime == .seconds(30))
        #expect(preset.totalTime == .atMost(.seconds(30)))
    }

    @Test func `CFG-03 the origin fetcher: four attempts after 200, 400, 800 ms`() {
        let preset = ResiliencePreset.originFetcher
        #expect(preset.retry.maxAttempts == 4)
        #expect(delays(preset, 3) == [200, 400, 800].map { .milliseconds($0) })
        #expect(preset.retry.statuses == .serverErrors)
        #expect(preset.retry.methods == .only(["GET"]))
        #expect(preset.connectionsPerOrigin == 10)
        #expect(preset.idleTime == .seconds(10))
        #expect(preset.idleTimeMost == .seconds(60))
    }

    @Test func `CFG-04 fastreq and the async fetcher, RETRY-03 included`() {
        let fast = ResiliencePreset.fastreq
        #expect(fast.retry.maxAttempts == 4)
        #expect(fast.retry.backoff.jitter == .proportional(0.1))
        #expect(fast.concurrency == 20)
        guard case .tokenBucket(let rate, burst: 5) = fast.clientLimit else {
            Issue.record("ten a second, five at once")
            return
        }
        #expect(rate == .perSecond(10))
        let fetcher = ResiliencePreset.asyncFetcher
        #expect(fetcher.retry.maxAttempts == 3)
        #expect(delays(fetcher, 2) == [.seconds(1), .seconds(2)])
        #expect(fetcher.retry.statuses.isEmpty)
        #expect(fetcher.concurrency == 100)
        #expect(fetcher.totalTime == .atMost(.seconds(10)))
        #expect(fetcher.connectTime == .seconds(8))
        #expect(fetcher.readTime == .seconds(6))
        #expect(fast.totalTime == .unbounded)
    }

    @Test func `POOL-04 twice the concurrency is a hundred connections for fifty`() {
        #expect(ConnectionCap.perConcurrency(2).connections(concurrency: 50) == 100)
        #expect(ConnectionCap.fixed(7).connections(concurrency: 50) == 7)
        #expect(ConnectionCap.perConcurrency(.max).connections(concurrency: 50) == .max)
        #expect(ConnectionCap.perConcurrency(0).connections(concurrency: 50) == 1)
    }

    @Test func `every preset is valid`() {
        for preset in [
            ResiliencePreset.afetch, .restClient, .originFetcher, .fastreq, .asyncFetcher,
        ] {
            #expect(preset.retry.invalidSetting == nil)
            #expect(preset.domainLimit?.invalidSetting == nil)
            #expect(preset.clientLimit?.invalidSetting == nil)
            #expect(preset.breaker?.invalidSetting == nil)
        }
        #expect(RetryPolicy.none.invalidSetting == nil)
        #expect(RetryPolicy.standard.invalidSetting == nil)
    }
}

struct InvalidSettingTests {
    @Test func `CFG-10 a retry setting that makes no sense is named`() {
        func key(_ change: (inout RetryPolicy) -> Void) -> String? {
            var policy = RetryPolicy.standard
            change(&policy)
            return policy.invalidSetting?.key
        }
        #expect(key { $0.maxAttempts = 0 } == "maxAttempts")
        #expect(key { $0.backoff.base = .seconds(-1) } == "backoff.base")
        #expect(key { $0.backoff.cap = .seconds(-1) } == "backoff.cap")
        for factor in [0.5, -1, .nan, .infinity] {
            #expect(key { $0.backoff.factor = factor } == "backoff.factor")
        }
        for share in [-0.1, 1.1, .nan] {
            #expect(key { $0.backoff.jitter = .proportional(share) } == "backoff.jitter")
        }
        #expect(key { $0.retryAfter = .upTo(.seconds(-1)) } == "retryAfter")
        let rule = RetryRule(.giveUp)
        #expect(key { $0.rules = Array(repeating: rule, count: 33) } == "rules")
        #expect(
            key { $0.rules = [RetryRule(.retry(Backoff(), maxAttempts: 0))] }
                == "rules.maxAttempts")
        #expect(
            key { $0.rules = [RetryRule(.retry(Backoff(factor: 0), maxAttempts: 2))] }
                == "rules.backoff.factor")
        #expect(RetryAllowance(percent: -1).invalidSetting?.key == "percent")
        #expect(RetryAllowance(floor: -1).invalidSetting?.key == "floor")
        #expect(RetryAllowance.unlimited.invalidSetting == nil)
    }

    @Test func `CFG-10 a rate that makes no sense is named`() {
        #expect(Rate(0, per: .seconds(1)).invalidSetting?.key == "count")
        #expect(Rate(.max, per: .seconds(1)).invalidSetting?.key == "count")
        #expect(Rate(1, per: .zero).invalidSetting?.key == "period")
        #expect(Rate(1, per: .seconds(Int64.max)).invalidSetting?.key == "period")
        let bucket = RateLimit.tokenBucket(.perSecond(1), burst: 0)
        #expect(bucket.invalidSetting?.key == "burst")
        #expect(RateLimit.slidingWindow(.perSecond(-1)).invalidSetting?.key == "count")
        #expect(RateLimit.leakyBucket(.perSecond(1)).invalidSetting == nil)
    }

    @Test func `CFG-10 settings of breaker, politeness, hedging and coalescing are checked`() {
        #expect(BreakerRules(consecutiveFailures: 0).invalidSetting?.key == "consecutiveFailures")
        #expect(BreakerRules(coolDown: .zero).invalidSetting?.key == "coolDown")
        #expect(BreakerRules(probes: 0).invalidSetting?.key == "probes")
        for (rate, key) in [
            (FailureRate(percent: 0), "failureRate.percent"),
            (FailureRate(window: .zero), "failureRate.window"),
            (FailureRate(minimumVolume: 0), "failureRate.minimumVolume"),
        ] {
            #expect(BreakerRules(failureRate: rate).invalidSetting?.key == key)
        }
        #expect(BreakerRules(failureRate: FailureRate()).invalidSetting == nil)
        for (rules, key) in [
            (PolitenessRules(concurrency: 0), "concurrency"),
            (PolitenessRules(minDelay: .seconds(-1)), "minDelay"),
            (PolitenessRules(jitter: 2), "jitter"),
            (PolitenessRules(crawlDelay: .clampedTo(.seconds(-1))), "crawlDelay"),
            (PolitenessRules(idleTime: .seconds(-1)), "idleTime"),
            (PolitenessRules(mostSlots: 0), "mostSlots"),
            (
                PolitenessRules(autoThrottle: AutoThrottle(startDelay: .seconds(-1))),
                "autoThrottle.startDelay"
            ),
            (
                PolitenessRules(autoThrottle: AutoThrottle(maxDelay: .seconds(1))),
                "autoThrottle.maxDelay"
            ),
            (
                PolitenessRules(autoThrottle: AutoThrottle(targetConcurrency: 0)),
                "autoThrottle.targetConcurrency"
            ),
        ] {
            #expect(rules.invalidSetting?.key == key)
        }
        #expect(PolitenessRules(autoThrottle: AutoThrottle()).invalidSetting == nil)
        #expect(HedgeRules(percentile: 100).invalidSetting?.key == "percentile")
        #expect(HedgeRules(minDelay: .seconds(-1)).invalidSetting?.key == "minDelay")
        #expect(HedgeRules(minSamples: 0).invalidSetting?.key == "minSamples")
        #expect(HedgeRules().invalidSetting == nil)
        #expect(CoalescingRules(mostSharedBytes: -1).invalidSetting?.key == "mostSharedBytes")
        #expect(CoalescingRules(mostFollowers: -1).invalidSetting?.key == "mostFollowers")
        #expect(CoalescingRules().invalidSetting == nil)
    }
}
