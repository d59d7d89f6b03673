// Owns the bank's own page inside ours (3-D Secure), during a call and when a payment is made up for.
import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { post } from '../api/client'
import type { MeterView } from '../api/types'
import { ProviderFrame } from './CardFrame'
import { Problem } from './Problem'
import { useWords } from './words'

export function Bank({ url, callId, text, onSettled }: { url: string; callId: string; text: string; onSettled: () => void }) {
  const { t } = useWords()
  const done = useMutation({ mutationFn: () => post<MeterView>(`/api/calls/${callId}/authenticated`), onSettled })
  return (
    <section className="panel stack" aria-labelledby={`bank-${callId}`} data-testid="authenticate">
      <h2 id={`bank-${callId}`} style={{ margin: 0 }}>
        {t('bank.title')}
      </h2>
      <p>{text}</p>
      <ProviderFrame url={url} title={t('bank.title')} height={360} testId="authenticate-frame" onMessage={() => done.mutate()} />
      <Problem error={done.error} />
      <div>
        <Button variant="default" loading={done.isPending} onClick={() => done.mutate()}>
          {t('bank.done')}
        </Button>
      </div>
    </section>
  )
}
