// Owns the frame around every screen: skip link, navigation by role, the way back into a running call, what is owed, ring and news.
import { type ReactNode, useState } from 'react'
import { Link, NavLink, Outlet, useLocation, useNavigate } from 'react-router'
import { post } from '../api/client'
import { accountChanged, demoRole, session, signedOut } from '../api/session'
import type { Account, Locale } from '../api/types'
import { call as apiCall } from '../api/client'
import { useLanguage } from '../i18n'
import { useLive, useSession } from '../socket/live'
import { OwedBanner } from './Owed'
import { ReturnBanner } from './Return'
import { Mark } from './pictures'
import { RingOverlay } from './RingOverlay'
import { Told } from './TellMe'
import { Toast } from './toast'
import { useWords } from './words'

function Item({ to, children }: { to: string; children: ReactNode }) {
  return (
    <NavLink className="nav" to={to}>
      {children}
    </NavLink>
  )
}

function Navigation() {
  const { t } = useWords()
  const { account } = useSession()
  const navigate = useNavigate()
  const roles = account?.roles ?? []
  const [leaving, setLeaving] = useState(false)
  async function signOut() {
    setLeaving(true)
    await post('/api/auth/logout').catch(() => undefined)
    signedOut()
    setLeaving(false)
    await navigate('/')
  }
  return (
    <nav aria-label={t('nav.label')} className="row" style={{ gap: 0 }}>
      {roles.includes('customer') && <Item to="/ask">{t('nav.ask')}</Item>}
      {roles.includes('consultant') && <Item to="/home">{t('nav.home')}</Item>}
      {roles.includes('consultant') && <Item to="/earnings">{t('nav.earnings')}</Item>}
      {(roles.includes('customer') || roles.includes('consultant')) && <Item to="/calls">{t('nav.calls')}</Item>}
      {(roles.includes('finance') || roles.includes('admin')) && <Item to="/finance">{t('nav.finance')}</Item>}
      {roles.includes('admin') && <Item to="/admin/matching">{t('nav.matching')}</Item>}
      {roles.includes('admin') && <Item to="/admin/terms">{t('nav.terms')}</Item>}
      {account ? (
        <>
          <Item to="/settings">{t('nav.settings')}</Item>
          {!demoRole && (
            <button type="button" className="nav-button" onClick={signOut} disabled={leaving} data-testid="sign-out">
              {t('nav.sign_out')}
            </button>
          )}
        </>
      ) : (
        <>
          <Item to="/sign-in">{t('nav.sign_in')}</Item>
          <Item to="/sign-up">{t('nav.sign_up')}</Item>
        </>
      )}
    </nav>
  )
}

function LanguageButton() {
  const { locale, setLocale } = useLanguage()
  const other: Locale = locale === 'en' ? 'de' : 'en'
  function change() {
    setLocale(other)
    if (session.get().account) {
      void apiCall<Account>('PATCH', '/api/me', { locale: other }).then(accountChanged, () => undefined)
    }
  }
  return (
    <button type="button" className="nav-button" onClick={change} lang={other}>
      {other === 'de' ? 'Deutsch' : 'English'}
    </button>
  )
}

function WayBack() {
  const { t } = useWords()
  const { snapshot } = useLive()
  const { pathname } = useLocation()
  const call = snapshot?.call
  const request = snapshot?.request
  let to = ''
  let text = ''
  const returned = call?.state === 'preparing' && call.continues_call_id && !call.participants[call.role].seen // the banner below says so
  if (call && call.state !== 'ended' && !returned) {
    to = `/call/${call.id}`
    text = t('back.call', { name: call.other.display_name })
  } else if (request?.state === 'ringing') {
    to = `/ask/${request.question_id}/waiting`
    text = t('back.ringing')
  }
  if (!to || pathname === to) return null
  return (
    <div className="banner" role="status">
      <div className="top-inner">
        <span>{text}</span>
        <Link className="row-link" to={to}>
          {t('back.go')}
        </Link>
      </div>
    </div>
  )
}

const narrow = /^\/(sign-|ask(\/[^/]+\/checkout)?$|settings|profile|call\/[^/]+\/done|verify)/
const wide = /^\/(call\/[^/]+$|finance|admin)/

export function Layout() {
  const { t } = useWords()
  const { pathname } = useLocation()
  const { connected, snapshot } = useLive()
  const shape = wide.test(pathname) ? 'wide' : narrow.test(pathname) ? 'narrow' : ''
  return (
    <>
      <a className="skip" href="#main">
        {t('nav.skip')}
      </a>
      <header className="top">
        <div className="top-inner">
          <Link to="/" className="brand">
            <Mark />
            {t('brand')}
          </Link>
          <Navigation />
          <LanguageButton />
        </div>
      </header>
      <WayBack />
      <ReturnBanner pathname={pathname} />
      <Told />
      <OwedBanner />
      {snapshot && !connected && (
        <div className="note warn" role="status" style={{ borderRadius: 0, textAlign: 'center' }}>
          {t('live.lost')}
        </div>
      )}
      <main id="main" tabIndex={-1} className={shape}>
        <Outlet />
      </main>
      <RingOverlay />
      <Toast />
    </>
  )
}
