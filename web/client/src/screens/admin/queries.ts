// Owns what the admins' pages ask the server for.
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { get, post } from '../../api/client'
import type { HouseTerms, Learning, Refit } from '../../api/types'

const SLOW_MS = 30_000
const FAST_MS = 1_000

/** Figures and versions of the last `days`; asked quickly while a refit runs. */
export const useMatching = (days: number) =>
  useQuery({
    queryKey: ['admin', 'matching', days],
    queryFn: () => get<Learning>(`/api/admin/matching?days=${days}`),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.refit && !state.data.refit.finished_at ? FAST_MS : SLOW_MS),
  })

function useAct<Given, Answer>(act: (given: Given) => Promise<Answer>, done?: (answer: Answer) => void) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: act,
    onSuccess: (answer) => done?.(answer),
    onSettled: () => queries.invalidateQueries({ queryKey: ['admin'] }),
  })
}

export const useRefit = () => useAct(() => post<Refit>('/api/admin/matching/refit'))

export const useActivate = (version: string, done: () => void) =>
  useAct((reason: string) => post<void>(`/api/admin/matching/models/${encodeURIComponent(version)}/activate`, { reason }), done)

export const useHouseTerms = () => useQuery({ queryKey: ['admin', 'terms'], queryFn: () => get<HouseTerms>('/api/admin/terms') })

export const useChangeTerms = (done: () => void) =>
  useAct((change: { after: number; late_hold: boolean; review_window_s: number; reason: string }) => post<HouseTerms>('/api/admin/terms', change), done)
