// The one place where a retry is decided: what no strategy may overrule, the strategy, then the
// call's deadline and the origin's budget. Pure; the engine asks it when an attempt has ended.

internal import FetchTime

/// What a call goes by: nothing, a policy, or an algorithm of the user's.
package enum Retries: Sendable {
    case off
    case policy(RetryPolicy)
    case strategy(any RetryStrategy)

    /// Decides, and spends one of the budget's retries if it decides for one. The budget comes
    /// last, so that nothing is spent on a call that gives up for another reason.
    package func decide(
        _ context: RetryContext, _ allowance: RetryAllowance, _ budget: inout RetryBudget
    ) -> RetryDecision {
        if context.responseBegan { return .giveUp(.responseBegan) }
        if context.attempt >= RetryContext.mostAttempts {
            return .giveUp(.attemptsSpent(limit: RetryContext.mostAttempts))
        }
        let decision = strategyDecision(context)
        guard case .retry(let delay, _) = decision else { return decision }
        // An upload of which nothing was taken is still there to be sent.
        guard context.isReplayable || context.wasNeverSeen else {
            return .giveUp(.bodyIsNotReplayable)
        }
        guard context.now + delay < context.deadline else { return .giveUp(.pastDeadline) }
        guard budget.spend(allowance, now: context.now) else { return .giveUp(.budgetSpent) }
        return decision
    }

    private func strategyDecision(_ context: RetryContext) -> RetryDecision {
        switch self {
        case .off: .giveUp(.off)
        case .policy(let policy): policy.decide(context)
        case .strategy(let strategy): strategy.decide(context)
        }
    }
}
