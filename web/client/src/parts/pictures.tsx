// Owns the drawings: our mark, the picture on the first page, and the icons of the call.
export function Mark() {
  return (
    <svg width="30" height="30" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="9" fill="#0f6b5c" />
      <path d="M22 11.5a7 7 0 1 0 0 9" fill="none" stroke="#fff" strokeWidth="3.2" strokeLinecap="round" />
      <circle cx="22.6" cy="16" r="2.6" fill="#f4c95d" />
    </svg>
  )
}

/** Two people, one line between them, and the ring of the first ten minutes. */
export function TalkPicture() {
  return (
    <svg viewBox="0 0 460 380" aria-hidden="true">
      <circle cx="230" cy="190" r="168" fill="var(--accent-soft)" />
      <circle cx="230" cy="190" r="150" fill="none" stroke="var(--line)" strokeWidth="10" />
      <path d="M230 40a150 150 0 0 1 143 195" fill="none" stroke="var(--accent)" strokeWidth="10" strokeLinecap="round" />
      <circle cx="373" cy="235" r="12" fill="#f4c95d" />
      <g fill="var(--surface)" stroke="var(--ink)" strokeWidth="4" strokeLinejoin="round">
        <path d="M62 150h150a20 20 0 0 1 20 20v54a20 20 0 0 1-20 20h-92l-34 30v-30H62a20 20 0 0 1-20-20v-54a20 20 0 0 1 20-20z" />
        <path d="M262 92h136a20 20 0 0 1 20 20v48a20 20 0 0 1-20 20h-20v28l-32-28h-84a20 20 0 0 1-20-20v-48a20 20 0 0 1 20-20z" fill="var(--accent)" />
      </g>
      <g stroke="var(--ink)" strokeWidth="7" strokeLinecap="round">
        <path d="M72 182h124M72 210h78" />
      </g>
      <g stroke="#fff" strokeWidth="7" strokeLinecap="round">
        <path d="M274 124h104M274 150h60" />
      </g>
    </svg>
  )
}

/** How good a connection is, in bars; the words stand beside it. */
export function Bars({ count }: { count: 0 | 1 | 2 | 3 }) {
  return (
    <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" className="bars">
      {[0, 1, 2].map((n) => (
        <rect key={n} x={3 + n * 7} y={15 - n * 5} width="5" height={6 + n * 5} rx="1.5" fill={n < count ? 'currentColor' : 'none'} stroke="currentColor" strokeWidth="1.5" />
      ))}
      {count === 0 && <path d="M4 3l16 18" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />}
    </svg>
  )
}

const paths = {
  microphone: 'M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM6 11a6 6 0 0 0 12 0M12 17v4',
  camera: 'M3 7h11v10H3zM14 11l7-4v10l-7-4',
  screen: 'M3 5h18v11H3zM9 20h6M12 16v4',
  pause: 'M8 5v14M16 5v14',
  float: 'M3 5h18v14H3zM12 12h6v4h-6z',
  record: 'M12 5a7 7 0 1 0 0 14a7 7 0 0 0 0-14zM12 9.5a2.5 2.5 0 1 0 0 5a2.5 2.5 0 0 0 0-5z',
  leave: 'M4 15c5-5 11-5 16 0l-2 3-4-2v-3h-4v3l-4 2z',
}

export function Icon({ name, off = false }: { name: keyof typeof paths; off?: boolean }) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.9" strokeLinecap="round" strokeLinejoin="round">
      <path d={paths[name]} />
      {off && <path d="M4 3l16 18" />}
    </svg>
  )
}

/** The brand of a card, drawn; its name stands beside it. */
export function BrandPicture({ brand }: { brand: string }) {
  return (
    <svg viewBox="0 0 48 32" width="48" height="32" aria-hidden="true" style={{ flex: 'none' }}>
      <rect x="0.75" y="0.75" width="46.5" height="30.5" rx="5" fill="#fff" stroke="var(--line)" strokeWidth="1.5" />
      {brand === 'visa' && (
        <text x="24" y="21.5" textAnchor="middle" fontSize="15" fontWeight="800" fontStyle="italic" fill="#1a3a8f">
          VISA
        </text>
      )}
      {brand === 'mastercard' && (
        <>
          <circle cx="19" cy="16" r="9" fill="#d9222a" />
          <circle cx="29" cy="16" r="9" fill="#ee9f2d" fillOpacity="0.85" />
        </>
      )}
      {brand === 'amex' && (
        <text x="24" y="20.5" textAnchor="middle" fontSize="12" fontWeight="800" fill="#1f6fb5">
          AMEX
        </text>
      )}
      {!['visa', 'mastercard', 'amex'].includes(brand) && (
        <>
          <rect x="1" y="7" width="46" height="6" fill="#5b6b68" />
          <rect x="7" y="19" width="16" height="4" rx="2" fill="#b7c2bf" />
        </>
      )}
    </svg>
  )
}

/** Whether something holds: a tick in a shield, or a cross; the words stand beside it. */
export function Verdict({ good }: { good: boolean }) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round">
      <path d="M12 2.8l7.5 2.7v5.6c0 4.7-3.1 8.3-7.5 10.1-4.4-1.8-7.5-5.4-7.5-10.1V5.5z" />
      <path d={good ? 'M8.3 12l2.6 2.6 4.8-5' : 'M9 9l6 6M15 9l-6 6'} />
    </svg>
  )
}
