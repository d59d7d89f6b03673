// Owns playing a recorded call: both sides next to each other, on one clock, with one set of controls.
import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type RefObject, useEffect, useMemo, useRef, useState } from 'react'
import { Link, useParams } from 'react-router'
import { get } from '../api/client'
import type { RecordingFileOut, RecordingsOut } from '../api/schema'
import { Page } from '../parts/Page'
import { Loading, Problem } from '../parts/Problem'
import { useWords } from '../parts/words'
import { arrange, type Part, partAt } from '../rules/playback'

// A side that is further away from the clock than this is put right; less is noticed by nobody.
const DRIFT_S = 0.06

function Side({ parts, ms, playing, label, testId }: { parts: Part[]; ms: RefObject<number>; playing: boolean; label: string; testId: string }) {
  const { t } = useWords()
  const video = useRef<HTMLVideoElement>(null)
  const [part, setPart] = useState<Part | null>(() => partAt(parts, 0))
  useEffect(() => {
    const follow = () => {
      const wanted = partAt(parts, ms.current)
      setPart((known) => (known?.id === wanted?.id ? known : wanted))
      const element = video.current
      if (!element || !wanted || element.dataset.part !== wanted.id || element.readyState < 1) return
      const at = (ms.current - wanted.startMs) / 1_000
      if (Math.abs(element.currentTime - at) > DRIFT_S && !element.seeking) element.currentTime = at
      // Paused again before it began to play: nothing is wrong with that.
      if (playing && element.paused) void element.play().catch(() => undefined)
      if (!playing && !element.paused) element.pause()
    }
    follow()
    const timer = setInterval(follow, 100)
    return () => clearInterval(timer)
  }, [parts, ms, playing])
  return (
    <figure style={{ margin: 0 }}>
      <div className="stage">
        {part ? (
          <video ref={video} key={part.id} data-part={part.id} src={part.url} className="far" playsInline preload="auto" aria-label={label} data-testid={testId} />
        ) : (
          <div className="veil">
            <p>{t('recording.nothing')}</p>
          </div>
        )}
      </div>
      <figcaption>{label}</figcaption>
    </figure>
  )
}

function Player({ files }: { files: RecordingFileOut[] }) {
  const { t, clock } = useWords()
  const playback = useMemo(() => arrange(files), [files])
  const ms = useRef(0)
  const [shown, setShown] = useState(0)
  const [playing, setPlaying] = useState(false)
  useEffect(() => {
    if (!playing) return
    let last = performance.now()
    const timer = setInterval(() => {
      const now = performance.now()
      ms.current = Math.min(playback.lengthMs, ms.current + now - last)
      last = now
      setShown(ms.current)
      if (ms.current >= playback.lengthMs) setPlaying(false)
    }, 50)
    return () => clearInterval(timer)
  }, [playing, playback.lengthMs])
  function seek(to: number) {
    ms.current = to
    setShown(to)
  }
  function toggle() {
    if (!playing && ms.current >= playback.lengthMs) seek(0)
    setPlaying(!playing)
  }
  return (
    <div className="stack" data-testid="recording-player" data-length={playback.lengthMs}>
      <div className="side-by-side">
        <Side parts={playback.customer} ms={ms} playing={playing} label={t('side.customer')} testId="play-customer" />
        <Side parts={playback.consultant} ms={ms} playing={playing} label={t('side.consultant')} testId="play-consultant" />
      </div>
      <div className="row" style={{ flexWrap: 'nowrap' }}>
        <Button onClick={toggle} data-testid="play">
          {t(playing ? 'recording.pause' : 'recording.play')}
        </Button>
        <input
          type="range"
          min={0}
          max={playback.lengthMs}
          step={100}
          value={shown}
          onChange={(event) => seek(Number(event.currentTarget.value))}
          aria-label={t('recording.position')}
          aria-valuetext={clock(shown)}
          style={{ flex: 1, minWidth: 0 }}
          data-testid="seek"
        />
        <span className="numbers">
          {clock(shown)} / {clock(playback.lengthMs)}
        </span>
      </div>
    </div>
  )
}

export function RecordingScreen() {
  const { callId = '' } = useParams()
  const { t, date } = useWords()
  const found = useQuery({
    queryKey: ['recordings', callId],
    queryFn: () => get<RecordingsOut>(`/api/calls/${callId}/recordings`),
    refetchOnWindowFocus: false,
    // A file is closed a moment after its call.
    refetchInterval: (query) => (query.state.data?.items.some((file) => !file.finished) ? 1_000 : false),
  })
  const files = found.data?.items.filter((file) => file.finished && file.duration_ms > 0) ?? []
  const first = files[0]
  return (
    <Page title={t('recording.title')}>
      {found.isPending && <Loading />}
      <Problem error={found.error} />
      {found.data && files.length === 0 && <p className="note">{t('recording.none')}</p>}
      {first && (
        <div className="stack">
          <Player key={files.map((file) => file.id).join()} files={files} />
          <section className="panel stack" aria-labelledby="files-title">
            <h2 id="files-title" style={{ margin: 0 }}>
              {t('recording.files')}
            </h2>
            <p className="soft">{t('recording.until', { date: date(first.expires_at) })}</p>
            <ul>
              {files.map((file) => (
                <li key={file.id}>
                  <a href={`${file.url}&download=true`} download data-testid="download-recording">
                    {t('recording.download', { side: t(`side.${file.side}`), size: file.bytes / 1_000_000 })}
                  </a>
                </li>
              ))}
            </ul>
          </section>
        </div>
      )}
      <p>
        <Link to={`/call/${callId}/done`}>{t('recording.back')}</Link>
      </p>
    </Page>
  )
}
