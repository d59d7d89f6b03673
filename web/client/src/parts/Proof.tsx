// Owns what proves a bill on the receipt's screen: the state of the sealed evidence, and the files to keep.
import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { Link } from 'react-router'
import { download } from '../api/client'
import type { Receipt } from '../api/types'
import { Verdict } from './pictures'
import { Problem } from './Problem'
import { useWords } from './words'

export function ProofPanel({ receipt }: { receipt: Receipt }) {
  const { t } = useWords()
  const { entries, broken_at } = receipt.evidence
  const file = useMutation({
    mutationFn: (kind: 'pdf' | 'json') => download(`/api/calls/${receipt.call_id}/receipt.${kind}`, `${receipt.reference}.${kind}`),
  })
  return (
    <section className="panel stack" aria-labelledby="proof-title" data-testid="proof">
      <h2 id="proof-title" style={{ margin: 0 }}>
        {t('proof.title')}
      </h2>
      <div className={broken_at === null ? 'note seal' : 'note bad seal'} data-testid="seal">
        <Verdict good={broken_at === null} />
        <p>{broken_at === null ? t('proof.sealed', { count: entries }) : t('proof.broken', { n: broken_at })}</p>
      </div>
      <p style={{ margin: 0 }}>{t('proof.what')}</p>
      <Problem error={file.error} />
      <div className="row">
        <Button onClick={() => file.mutate('pdf')} loading={file.isPending && file.variables === 'pdf'} data-testid="download-pdf">
          {t('proof.pdf')}
        </Button>
        <Button variant="default" onClick={() => file.mutate('json')} loading={file.isPending && file.variables === 'json'} data-testid="download-json">
          {t('proof.json')}
        </Button>
        <Link className="row-link" to="/verify">
          {t('proof.verify')}
        </Link>
      </div>
    </section>
  )
}
