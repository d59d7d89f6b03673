// Owns what the console asks the server for, under one key, so that every action can have all of it asked again.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { get, query } from '../../api/client'
import type {
  Approvals,
  BookMonths,
  CallProblems,
  Cases,
  ChargeDetail,
  Dispute,
  Disputes,
  Evidence,
  Overview,
  PayoutAccounts,
  PayoutDetail,
  Payouts,
  Runs,
} from '../../api/types'
import { useSession } from '../../socket/live'

const SLOW_MS = 20_000
const FAST_MS = 1_500

const ask = <T>(path: string, values: Record<string, string | boolean> = {}, everyMs: number | false = SLOW_MS) => ({
  queryKey: ['finance', path, values],
  queryFn: () => get<T>(`/api/finance/${path}${query(values)}`),
  refetchInterval: everyMs,
})

export const useOverview = () => useQuery(ask<Overview>('overview'))
export const useApprovals = () => useQuery(ask<Approvals>('approvals'))
export const useProblems = () => useQuery(ask<CallProblems>('problems'))
export const useDisputes = (closed: boolean) => useQuery(ask<Disputes>('disputes', { closed }))
export const useDispute = (id: string) => useQuery(ask<Dispute>(`disputes/${id}`))
export const usePayout = (id: string) => useQuery(ask<PayoutDetail>(`payouts/${id}`))
export const useAccounts = () => useQuery(ask<PayoutAccounts>('payout-accounts'))
export const useCases = (closed: boolean) => useQuery(ask<Cases>('cases', { closed }))
export const useMonths = () => useQuery(ask<BookMonths>('months'))

/** All payouts, page by page. */
export const usePayouts = () =>
  useInfiniteQuery({
    queryKey: ['finance', 'payouts'],
    queryFn: ({ pageParam }) => get<Payouts>(`/api/finance/payouts${query({ cursor: pageParam })}`),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: SLOW_MS,
  })

/** What will be, or was, handed in; not asked again by itself, so that it holds still while it is read. */
export const useEvidence = (id: string) => useQuery(ask<Evidence>(`disputes/${id}/evidence`, {}, false))

/** The comparisons; asked quickly while one runs. */
export const useRuns = () =>
  useQuery({
    ...ask<Runs>('reconciliation'),
    refetchInterval: ({ state }) => (state.data?.items.slice(0, 4).some((run) => !run.finished_at) ? FAST_MS : SLOW_MS),
  })

/** One charge; asked quickly while a refund is on its way. */
export const useCharge = (id: string) =>
  useQuery({
    ...ask<ChargeDetail>(`charges/${id}`),
    refetchInterval: ({ state }) => (state.data?.refunds.some((refund) => refund.state === 'sending') ? FAST_MS : SLOW_MS),
  })

/** An action of finance; afterwards everything on the screen is asked for again. */
export function useAct<Given, Answer>(act: (given: Given) => Promise<Answer>, done?: (answer: Answer) => void) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: act,
    onSuccess: (answer) => done?.(answer),
    onSettled: () => queries.invalidateQueries({ queryKey: ['finance'] }), // a refusal, too, says that something changed
  })
}

/** Whether the reader may act, or only read as the administrator does. */
export const useMayAct = () => useSession().account?.roles.includes('finance') ?? false
