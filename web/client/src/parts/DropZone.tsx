// Owns the place where files are dropped or chosen; what is done with them is the caller's.
import { type ReactNode, useState } from 'react'

interface DropZoneProps {
  accept: string
  testId: string
  onFiles: (files: File[]) => void
  several?: boolean
  small?: boolean
  children: ReactNode
}

export function DropZone({ accept, testId, onFiles, several = false, small = false, children }: DropZoneProps) {
  const [over, setOver] = useState(false)
  return (
    <label
      className={['drop', small && 'small-drop', over && 'over'].filter(Boolean).join(' ')}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        onFiles([...event.dataTransfer.files])
      }}
    >
      <input
        type="file"
        multiple={several}
        accept={accept}
        data-testid={testId}
        onChange={(event) => {
          onFiles([...(event.currentTarget.files ?? [])])
          event.currentTarget.value = '' // the same file may be chosen again
        }}
      />
      {children}
    </label>
  )
}
