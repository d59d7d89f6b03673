// Owns the consultant's profile form: what customers are matched on, and the rate they pay.
import { Button, MultiSelect, Select, TagsInput, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { Link } from 'react-router'
import { get, put } from '../api/client'
import { currencies, type Profile } from '../api/types'
import { Page } from '../parts/Page'
import { Loading, Problem } from '../parts/Problem'
import { say } from '../parts/toast'
import { useWords } from '../parts/words'
import { minorDigits, parseAmount, typedAmount } from '../rules/money'
import { live, useSession } from '../socket/live'

const languages = ['en', 'de', 'fr', 'es', 'it', 'nl', 'pl', 'pt', 'tr']

function ProfileForm({ profile }: { profile: Profile }) {
  const { t, locale, language, number, perMinute } = useWords()
  const { account } = useSession()
  const queries = useQueryClient()
  const [form, setForm] = useState({
    ...profile,
    currency: profile.currency ?? ('eur' as const),
    time_zone: profile.time_zone || account?.time_zone || 'UTC',
  })
  const [rateText, setRateText] = useState(
    profile.rate_minor_per_hour ? typedAmount(profile.rate_minor_per_hour, form.currency, locale) : '',
  )
  const tags = useQuery({ queryKey: ['tags'], queryFn: () => get<{ items: string[] }>('/api/tags'), staleTime: 600_000 })
  const change = (part: Partial<typeof form>) => setForm((old) => ({ ...old, ...part }))
  const rate = parseAmount(rateText, form.currency)
  const digits = minorDigits(form.currency)
  const save = useMutation({
    mutationFn: () =>
      put<Profile>('/api/consultant/profile', {
        headline: form.headline.trim(),
        biography: form.biography,
        tags: form.tags,
        rate_minor_per_hour: rate,
        currency: form.currency,
        languages: form.languages,
        time_zone: form.time_zone,
      }),
    onSuccess: (reply) => {
      queries.setQueryData(['profile'], reply)
      live.sync()
      say(t('profile.saved'))
    },
  })
  function submit(event: FormEvent) {
    event.preventDefault()
    save.mutate()
  }
  return (
    <form onSubmit={submit} className="panel stack">
      <TextInput required maxLength={120} label={t('profile.headline')} description={t('profile.headline_hint')} value={form.headline} onChange={(e) => change({ headline: e.currentTarget.value })} data-testid="profile-headline" />
      <Textarea autosize minRows={4} maxLength={4000} label={t('profile.biography')} description={t('profile.biography_hint')} value={form.biography} onChange={(e) => change({ biography: e.currentTarget.value })} />
      <TagsInput label={t('profile.tags')} description={t('profile.tags_hint')} data={tags.data?.items ?? []} value={form.tags} maxTags={15} onChange={(value) => change({ tags: value })} data-testid="profile-tags" />
      <div className="row" style={{ alignItems: 'flex-end' }}>
        <TextInput
          required
          inputMode="decimal"
          label={t('profile.rate')}
          value={rateText}
          error={rateText && rate === null ? t('profile.rate_bad', { example: number(905 / 10 ** digits, digits) }) : undefined}
          onChange={(e) => setRateText(e.currentTarget.value)}
          data-testid="profile-rate"
        />
        <Select label={t('profile.currency')} allowDeselect={false} value={form.currency} data={currencies.map((value) => ({ value, label: value.toUpperCase() }))} onChange={(value) => value && change({ currency: value })} />
      </div>
      {rate !== null && (
        <p className="soft small" role="status">
          {t('profile.rate_shown', { rate: perMinute(rate, form.currency) })}
        </p>
      )}
      <MultiSelect label={t('profile.languages')} value={form.languages} data={languages.map((code) => ({ value: code, label: language(code) }))} onChange={(value) => change({ languages: value })} />
      <Select
        searchable
        label={t('field.time_zone')}
        allowDeselect={false}
        value={form.time_zone}
        data={[...new Set(['UTC', form.time_zone, ...Intl.supportedValuesOf('timeZone')])]}
        onChange={(value) => value && change({ time_zone: value })}
      />
      <Problem error={save.error} />
      <div className="row">
        <Button type="submit" loading={save.isPending} disabled={rate === null} data-testid="profile-save">
          {t('common.save')}
        </Button>
        <Link className="row-link" to="/home">
          {t('profile.back')}
        </Link>
      </div>
    </form>
  )
}

export function ConsultantProfile() {
  const { t } = useWords()
  const profile = useQuery({ queryKey: ['profile'], queryFn: () => get<Profile>('/api/consultant/profile') })
  return (
    <Page title={t('profile.title')}>
      {profile.isPending && <Loading />}
      <Problem error={profile.error} retry={() => void profile.refetch()} />
      {profile.data && <ProfileForm profile={profile.data} />}
    </Page>
  )
}
