// Owns giving one to five stars with mouse, finger, arrow keys or a screen reader: they are radio buttons.
import { useWords } from './words'

export function Stars({ value, onChange }: { value: number; onChange: (stars: number) => void }) {
  const { t } = useWords()
  return (
    <fieldset className="stars" data-testid="stars">
      <legend>{t('rating.legend')}</legend>
      <div className="row">
        {[1, 2, 3, 4, 5].map((stars) => (
          <label key={stars} className={stars <= value ? 'lit' : undefined}>
            <input type="radio" name="stars" value={stars} checked={value === stars} onChange={() => onChange(stars)} aria-label={t('rating.stars', { stars })} data-testid={`star-${stars}`} />
            <span aria-hidden="true">{stars <= value ? '★' : '☆'}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}
