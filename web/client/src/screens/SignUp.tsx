// Owns making an account: who you are, which role, the documents agreed to by version; then straight in.
import { Button, Checkbox, PasswordInput, Radio, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { Link, Navigate, useSearchParams } from 'react-router'
import { post } from '../api/client'
import { signedIn } from '../api/session'
import type { Login } from '../api/types'
import { Page } from '../parts/Page'
import { Problem } from '../parts/Problem'
import { useWords } from '../parts/words'
import { useSession } from '../socket/live'
import { useTerms } from './Landing'
import { homeOf, useNext } from './SignIn'

const documentsOf = { customer: ['terms', 'privacy'], consultant: ['terms', 'privacy', 'consultant_agreement'] }

export function SignUp() {
  const { t, locale } = useWords()
  const { account } = useSession()
  const next = useNext()
  const terms = useTerms()
  const [role, setRole] = useState<'customer' | 'consultant'>(
    useSearchParams()[0].get('role') === 'consultant' ? 'consultant' : 'customer',
  )
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [agreed, setAgreed] = useState(false)
  const register = useMutation({
    mutationFn: async () => {
      await post('/api/auth/register', {
        email,
        password,
        role,
        display_name: name.trim(),
        locale,
        time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
        consents: (terms.data?.documents ?? [])
          .filter((each) => documentsOf[role].includes(each.document))
          .map(({ document, version }) => ({ document, version })),
      })
      return post<Login>('/api/auth/login', { email, password })
    },
    onSuccess: signedIn,
  })
  if (account) return <Navigate to={next ?? homeOf(account)} replace />
  function submit(event: FormEvent) {
    event.preventDefault()
    register.mutate()
  }
  return (
    <Page title={t('sign_up.title')}>
      <form onSubmit={submit} className="panel stack">
        <Radio.Group label={t('sign_up.role')} value={role} onChange={(value) => setRole(value as typeof role)}>
          <div className="stack tight" style={{ marginTop: '0.5rem' }}>
            <Radio value="customer" label={t('sign_up.customer')} />
            <Radio value="consultant" label={t('sign_up.consultant')} />
          </div>
        </Radio.Group>
        <TextInput required maxLength={60} autoComplete="name" label={t('field.name')} description={t('sign_up.name_hint')} value={name} onChange={(e) => setName(e.currentTarget.value)} data-testid="name" />
        <TextInput type="email" autoComplete="username" required label={t('field.email')} value={email} onChange={(e) => setEmail(e.currentTarget.value)} data-testid="email" />
        <PasswordInput
          autoComplete="new-password"
          required
          minLength={10}
          label={t('field.password')}
          description={t('sign_up.password_hint')}
          value={password}
          onChange={(e) => setPassword(e.currentTarget.value)}
          visibilityToggleButtonProps={{ 'aria-label': t('field.show_password') }}
          data-testid="password"
        />
        <Checkbox
          required
          checked={agreed}
          onChange={(e) => setAgreed(e.currentTarget.checked)}
          label={t(role === 'customer' ? 'sign_up.agree.customer' : 'sign_up.agree.consultant')}
          data-testid="agree"
        />
        <ul className="small" style={{ margin: 0 }}>
          {(terms.data?.documents ?? [])
            .filter((each) => documentsOf[role].includes(each.document))
            .map((each) => (
              <li key={each.document}>
                <a href={each.url} target="_blank" rel="noreferrer">
                  {t(`document.${each.document as 'terms' | 'privacy' | 'consultant_agreement'}`)}
                </a>{' '}
                <span className="soft">({each.version})</span>
              </li>
            ))}
        </ul>
        <Problem error={register.error ?? terms.error} />
        <Button type="submit" loading={register.isPending} disabled={!terms.data} data-testid="sign-up">
          {t('sign_up.go')}
        </Button>
        <p>
          {t('sign_up.have')}{' '}
          <Link className="row-link" to={`/sign-in${next ? `?next=${encodeURIComponent(next)}` : ''}`}>
            {t('nav.sign_in')}
          </Link>
        </p>
      </form>
    </Page>
  )
}
