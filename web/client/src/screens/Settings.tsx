// Owns a person's own settings: name, language, time zone, payment, where they are taxed, password.
import { Button, PasswordInput, Select, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { patch, post } from '../api/client'
import { accountChanged } from '../api/session'
import type { Account, Locale } from '../api/types'
import { useLanguage } from '../i18n'
import { BillingDetailsPart } from '../parts/BillingDetails'
import { CardsPart } from '../parts/Cards'
import { OwedPart } from '../parts/Owed'
import { Page } from '../parts/Page'
import { Problem } from '../parts/Problem'
import { say } from '../parts/toast'
import { useWords } from '../parts/words'
import { useSession } from '../socket/live'

const sides = ['customer', 'consultant'] as const // who is party to a call

function AccountForm({ account }: { account: Account }) {
  const { t } = useWords()
  const { locale: shown, setLocale } = useLanguage()
  const [name, setName] = useState(account.display_name)
  const [locale, choose] = useState<Locale>(shown) // as the page is read now: saving a name must not turn it into another language
  const [zone, setZone] = useState(account.time_zone)
  const save = useMutation({
    mutationFn: () => patch<Account>('/api/me', { display_name: name.trim(), locale, time_zone: zone }),
    onSuccess: (changed) => {
      accountChanged(changed)
      setLocale(changed.locale)
      say(t('settings.saved'))
    },
  })
  function submit(event: FormEvent) {
    event.preventDefault()
    save.mutate()
  }
  return (
    <form onSubmit={submit} className="panel stack">
      <TextInput label={t('field.email')} value={account.email} readOnly />
      <TextInput required maxLength={60} label={t('field.name')} value={name} onChange={(e) => setName(e.currentTarget.value)} />
      <Select
        label={t('settings.language')}
        allowDeselect={false}
        value={locale}
        data={[
          { value: 'en', label: 'English' },
          { value: 'de', label: 'Deutsch' },
        ]}
        onChange={(value) => choose(value === 'de' ? 'de' : 'en')}
      />
      <Select searchable label={t('field.time_zone')} allowDeselect={false} value={zone} data={[...new Set(['UTC', zone, ...Intl.supportedValuesOf('timeZone')])]} onChange={(value) => value && setZone(value)} />
      <Problem error={save.error} />
      <div>
        <Button type="submit" loading={save.isPending}>
          {t('common.save')}
        </Button>
      </div>
    </form>
  )
}

function PasswordForm() {
  const { t } = useWords()
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const change = useMutation({
    mutationFn: () => post('/api/auth/password', { current, new: next }),
    onSuccess: () => {
      setCurrent('')
      setNext('')
      say(t('settings.password_saved'))
    },
  })
  function submit(event: FormEvent) {
    event.preventDefault()
    change.mutate()
  }
  const toggle = { 'aria-label': t('field.show_password') }
  return (
    <form onSubmit={submit} className="panel stack" aria-labelledby="password-title">
      <h2 id="password-title" style={{ margin: 0 }}>
        {t('settings.password')}
      </h2>
      <PasswordInput required autoComplete="current-password" label={t('settings.current')} value={current} onChange={(e) => setCurrent(e.currentTarget.value)} visibilityToggleButtonProps={toggle} />
      <PasswordInput required minLength={10} autoComplete="new-password" label={t('settings.new')} description={t('sign_up.password_hint')} value={next} onChange={(e) => setNext(e.currentTarget.value)} visibilityToggleButtonProps={toggle} />
      <Problem error={change.error} />
      <div>
        <Button type="submit" loading={change.isPending}>
          {t('settings.change')}
        </Button>
      </div>
    </form>
  )
}

export function Settings() {
  const { t } = useWords()
  const { account } = useSession()
  return (
    <Page title={t('nav.settings')}>
      <div className="stack">
        {account?.roles.includes('customer') && (
          <div id="payment" className="stack">
            <OwedPart />
            <CardsPart removable />
          </div>
        )}
        {account && <AccountForm key={account.id} account={account} />}
        {account && sides.some((side) => account.roles.includes(side)) && <BillingDetailsPart consultant={account.roles.includes('consultant')} />}
        <PasswordForm />
      </div>
    </Page>
  )
}
