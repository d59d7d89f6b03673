// Owns signing in, and the way on to where the person was going.
import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { Link, Navigate, useSearchParams } from 'react-router'
import { post } from '../api/client'
import { signedIn } from '../api/session'
import type { Account, Login } from '../api/types'
import { useLanguage } from '../i18n'
import { Page } from '../parts/Page'
import { Problem } from '../parts/Problem'
import { useWords } from '../parts/words'
import { useSession } from '../socket/live'

export function homeOf(account: Account): string {
  if (account.roles.includes('consultant')) return '/home'
  if (account.roles.includes('finance') || account.roles.includes('admin')) return '/finance'
  return '/ask'
}

/** Only a path of our own is followed, never an address somebody put into a link. */
export function useNext(): string | null {
  const next = useSearchParams()[0].get('next')
  return next?.startsWith('/') && !next.startsWith('//') && !next.includes('\\') ? next : null
}

export function SignIn() {
  const { t } = useWords()
  const { setLocale } = useLanguage()
  const { account } = useSession()
  const next = useNext()
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const login = useMutation({
    mutationFn: () => post<Login>('/api/auth/login', { email, password }),
    onSuccess: (reply) => {
      setLocale(reply.account.locale)
      signedIn(reply)
    },
  })
  if (account) return <Navigate to={next ?? homeOf(account)} replace />
  function submit(event: FormEvent) {
    event.preventDefault()
    login.mutate()
  }
  return (
    <Page title={t('sign_in.title')}>
      <form onSubmit={submit} className="panel stack">
        <TextInput type="email" autoComplete="username" required label={t('field.email')} value={email} onChange={(e) => setEmail(e.currentTarget.value)} data-testid="email" />
        <PasswordInput
          autoComplete="current-password"
          required
          label={t('field.password')}
          value={password}
          onChange={(e) => setPassword(e.currentTarget.value)}
          visibilityToggleButtonProps={{ 'aria-label': t('field.show_password') }}
          data-testid="password"
        />
        <Problem error={login.error} />
        <Button type="submit" loading={login.isPending} data-testid="sign-in">
          {t('sign_in.go')}
        </Button>
        <p>
          {t('sign_in.new')}{' '}
          <Link className="row-link" to={`/sign-up${next ? `?next=${encodeURIComponent(next)}` : ''}`}>
            {t('nav.sign_up')}
          </Link>
        </p>
      </form>
    </Page>
  )
}
