"""The wizard's pages for a training: photos, model, resources, review of the files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from gcdesk.cluster.classify_bundle import ClassifyJob
from gcdesk.cluster.errors import SiteError
from gcdesk.cluster.image_folder import Packed
from gcdesk.cluster.job import Job, Resources
from gcdesk.cluster.sites import Site, load_site, memory_mb, seconds
from gcdesk.ui.session.wording import photos
from gcdesk.ui.widgets.dialogs import Sheet, note, roomy
from gcdesk.ui.widgets.folder_field import FolderField
from gcdesk.ui.widgets.form_card import Card
from trainer.image.settings import ImageSettings, settings_from
from trainer.job.config import Folders
from trainer.job.sweep import Axis, parse_axis

_LOOKS = (
    ("As in the original project", "original"),
    ("For photos of a station", "station"),
    ("None", "none"),
)
WIDE = 280


class Page(QWidget):
    """A column of cards; `title` is what the wizard says above it."""

    title = ""

    def __init__(self, dialog: Sheet) -> None:
        super().__init__()
        self.setObjectName("page")
        self.dialog = dialog
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(12)

    def card(self, title: str) -> Card:
        """Add a card to the page."""
        card = Card(title, self.dialog)
        self.column.addWidget(card)
        return card

    def whole(self, low: int, high: int, value: int, suffix: str = "") -> QSpinBox:
        """A spin box for whole numbers from `low` to `high`."""
        box = QSpinBox()
        box.setRange(low, high)
        box.setValue(value)
        box.setSuffix(suffix)
        roomy(box)
        return box


class PhotosPage(Page):
    """Which cluster, and where the photos are: a course's, other folders there, or packed into the bundle."""

    title = "Which photos?"
    site_changed = Signal()
    purpose_changed = Signal()

    def __init__(self, dialog: Sheet, sites: Sequence[Site]) -> None:
        super().__init__(dialog)
        where = self.card("Cluster")
        self.purpose = QComboBox()
        self.purpose.addItem("Train the image model", False)
        self.purpose.addItem("Classify a large folder", True)
        where.add("What it does", self.purpose, width=WIDE)
        self.site = QComboBox()
        for site in sites:
            self.site.addItem(site.name, site)
        where.add("Where", self.site, width=WIDE)
        other = QPushButton("Another cluster’s profile…")  # noqa: RUF001
        other.setAutoDefault(False)
        other.clicked.connect(lambda _checked=False: self._choose_profile())
        where.add("Not in the list", other, width=WIDE)
        self._training = self.card("Photos")
        self._radios(self._training)
        self._classifying = self.card("Folder")
        self.large = QLineEdit(placeholderText="/path/of/photos on the cluster")
        self.large.setAccessibleName("Folder on the cluster")
        self._classifying.add_whole(self.large)
        self._classifying.add_whole(note("Its subfolders too. Names of photos are read as captions."))
        self.news = note()
        self.column.addWidget(self.news)
        self.column.addStretch(1)
        self.site.currentIndexChanged.connect(lambda _index: self._site_changed())
        self.purpose.currentIndexChanged.connect(lambda _index: self._purpose_changed())
        self._site_changed()
        self._purpose_changed()

    def _radios(self, card: Card) -> None:
        self.of_course = QRadioButton("Photos of a course that are on the cluster")
        self.course = QComboBox()
        self.course.setAccessibleName("Course")
        self.on_cluster = QRadioButton("Other folders on the cluster")
        self.paths = {split: QLineEdit() for split in ("train", "val", "test")}
        hints = ("for training", "for choosing the best epoch", "for measuring at the end (may be empty)")
        for line, hint in zip(self.paths.values(), hints, strict=True):
            line.setPlaceholderText(f"/path/of/photos {hint}")
            line.setAccessibleName(f"Folder {hint}")
            line.textEdited.connect(lambda _text: self.on_cluster.setChecked(True))
        self.packed_here = QRadioButton("A folder of this computer, packed into the bundle")
        self.folder = FolderField("Folder to pack", "Holds train and val, each with a folder a bin")
        self.folder.box.textChanged.connect(lambda text: self.packed_here.setChecked(bool(text)))
        for widget in (
            self.of_course, self.course, self.on_cluster, *self.paths.values(), self.packed_here, self.folder,
        ):  # fmt: skip
            card.add_whole(widget)

    def _site_changed(self) -> None:
        courses = self.chosen_site.courses
        self.course.clear()
        for name, course in courses.items():
            self.course.addItem(course.title, name)
        self.of_course.setEnabled(bool(courses))
        self.course.setEnabled(bool(courses))
        if courses:
            self.of_course.setChecked(True)
        elif not self.packed_here.isChecked():
            self.on_cluster.setChecked(True)
        self.site_changed.emit()

    def _purpose_changed(self) -> None:
        self._training.setVisible(not self.classifies)
        self._classifying.setVisible(self.classifies)
        self.news.clear()
        self.purpose_changed.emit()

    @property
    def classifies(self) -> bool:
        """Whether a folder is to be classified, instead of a model trained."""
        return bool(self.purpose.currentData())

    def _choose_profile(self) -> None:
        chosen, _kind = QFileDialog.getOpenFileName(self, "Profile of a cluster", "", "Profiles (*.toml)")
        if chosen:
            self.add_profile(Path(chosen))

    def add_profile(self, file: Path) -> None:
        """Take a cluster from a site profile, or say what is wrong with it."""
        try:
            site = load_site(str(file))
        except SiteError as error:
            self.news.setText(str(error))
            return
        self.site.addItem(site.name, site)
        self.site.setCurrentIndex(self.site.count() - 1)

    @property
    def chosen_site(self) -> Site:
        site: Site = self.site.currentData()
        return site

    def to_pack(self) -> Path | None:
        """The folder that is to be packed; None for folders on the cluster."""
        return self.folder.folder() if self.packed_here.isChecked() and not self.classifies else None

    def folders(self) -> Folders | None:
        """Folders on the cluster; None for a packed one."""
        if self.packed_here.isChecked():
            return None
        if self.of_course.isChecked():
            course = self.chosen_site.courses[self.course.currentData()]
            return Folders(course.train, course.val, course.test)
        return Folders(*(line.text().strip() for line in self.paths.values()))

    def problem(self) -> str:
        """What is missing, in a sentence; "" nothing."""
        if self.classifies:
            fine = self.large.text().strip().startswith("/")
            return (
                "" if fine else "Write where the folder lies on the cluster: it begins with a slash, /work/…"
            )
        if self.packed_here.isChecked():
            return "" if self.folder.folder() else "Choose the folder to pack."
        found = self.folders()
        if found is None or not found.train or not found.val:
            return "Write where the photos for training and for choosing lie on the cluster."
        if not all(path.startswith("/") for path in found.named().values()):
            return "Folders on the cluster begin with a slash: /work/…"
        return ""

    def show_packed(self, packed: Packed) -> None:
        """Say what would travel."""
        splits = ", ".join(f"{split} {sum(bins.values()):,}" for split, bins in packed.counts.items())
        words = f"{photos(len(packed.photos))} ({splits}), {packed.size / 1e6:,.1f} MB travel in the bundle."
        self.news.setText(" ".join((words, *packed.notes[:3])))


class ModelPage(Page):
    """What the model is called, what it starts from, how it is trained."""

    title = "How is it trained?"

    def __init__(self, dialog: Sheet) -> None:
        super().__init__(dialog)
        usual = ImageSettings()
        model = self.card("Model")
        self.name = QLineEdit("talc-image")
        model.add("Its name", self.name, width=WIDE)
        self.base = QComboBox()
        self.base.addItem("ImageNet’s weights", None)  # noqa: RUF001
        model.add("Starts from", self.base, "ImageNet’s weights are fetched on the cluster.", width=WIDE)  # noqa: RUF001
        training = self.card("Training")
        self.epochs = self.whole(1, 1000, usual.epochs)
        training.add("Times that it sees every photo (epochs)", self.epochs)
        self.unfreeze = self.whole(0, 1000, usual.unfreeze_epoch)
        self.unfreeze.setSpecialValueText("never")
        training.add("Epoch from which late layers learn too", self.unfreeze)
        self.batch = self.whole(2, 1024, usual.batch)
        training.add("Photos at a time", self.batch, "Fewer where the GPU runs out of memory.")
        self.side = self.whole(32, 1024, usual.size, " px")
        training.add("Side of the picture that it sees", self.side)
        self.look = QComboBox()
        for words, preset in _LOOKS:
            self.look.addItem(words, preset)
        training.add("Changes made to photos", self.look, width=WIDE)
        self.seed = self.whole(0, 1_000_000, usual.seed)
        training.add("Seed", self.seed)
        self.sweep = QLineEdit(placeholderText="lr=1e-4,5e-4 seed=0,1,2")
        training.add(
            "Try several values",
            self.sweep,
            "Every combination is trained, and they are ranked.",
            width=WIDE,
        )
        self.column.addStretch(1)

    def show_models(self, models: Sequence[tuple[str, Path]]) -> None:
        """The image models of this computer that it can start from."""
        for name, folder in models:
            self.base.addItem(name, folder)

    def axes(self) -> tuple[Axis, ...]:
        """The settings that are swept. Raises JobError."""
        return tuple(parse_axis(words) for words in self.sweep.text().split())

    def settings(self) -> ImageSettings:
        return settings_from(
            {
                "epochs": self.epochs.value(),
                "unfreeze_epoch": self.unfreeze.value(),
                "batch": self.batch.value(),
                "size": self.side.value(),
                "seed": self.seed.value(),
                "augment": {"preset": self.look.currentData()},
            }
        )


class ResourcesPage(Page):
    """What the job asks of the cluster; the site's own words at first."""

    title = "What may it use?"

    def __init__(self, dialog: Sheet) -> None:
        super().__init__(dialog)
        card = self.card("On the cluster")
        self._classifies = False
        self.partition = QLineEdit()
        card.add("Partition", self.partition, "The command sinfo lists them there.")
        self.gpus = self.whole(1, 16, 1)
        card.add("GPUs", self.gpus)
        self.cpus = self.whole(1, 256, 2)
        card.add("CPU cores", self.cpus)
        self.memory = self.whole(1, 4000, 16, " GB")
        card.add("Memory", self.memory)
        self.hours = self.whole(1, 24 * 14, 11, " h")
        card.add("Time at a stretch", self.hours, "When it is up, the job saves and queues again.")
        self.requeues = self.whole(0, 100, 3)
        card.add("Times that it may queue again", self.requeues)
        self.allow_cpu = QCheckBox("May train on the CPU where there is no GPU (takes days)")
        card.add_whole(self.allow_cpu)
        self.column.addStretch(1)

    def show_purpose(self, classifies: bool) -> None:
        """Classifying needs no GPU."""
        self._classifies = classifies
        self.gpus.setMinimum(0 if classifies else 1)
        self.gpus.setSpecialValueText("none" if classifies else "")
        self.allow_cpu.setVisible(not classifies)

    def show_site(self, site: Site) -> None:
        """The site's own words."""
        self.partition.setText(site.partition)
        self.gpus.setValue(0 if self._classifies else site.gpus)
        self.cpus.setValue(site.cpus)
        self.memory.setValue(max(1, round(memory_mb(site.memory) / 1024)))
        self.hours.setValue(max(1, seconds(site.time) // 3600))
        self.requeues.setValue(site.requeues)

    def resources(self) -> Resources:
        days, hours = divmod(self.hours.value(), 24)
        return Resources(
            partition=self.partition.text().strip(),
            gpus=self.gpus.value(),
            cpus=self.cpus.value(),
            memory=f"{self.memory.value()}GB",
            time=f"{days}-{hours:02d}:00:00",
            requeues=self.requeues.value(),
            allow_cpu=self.allow_cpu.isChecked(),
        )


class ReviewPage(Page):
    """The run's name and the finished text for the cluster."""

    title = "This is what the cluster is told"

    def __init__(self, dialog: Sheet) -> None:
        super().__init__(dialog)
        self.said = note()
        self.column.addWidget(self.said)
        self.text = QPlainTextEdit(readOnly=True)
        self.text.setAccessibleName("Text for the cluster")
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.column.addWidget(self.text, 1)

    def show_job(self, job: Job | ClassifyJob, text: str) -> None:
        if isinstance(job, ClassifyJob):
            run, what = job.config.run, f"{job.config.folder} in {job.config.tasks} tasks"
        else:
            packed, run = job.packed, job.run
            where = f"{photos(len(packed.photos))} travel with it" if packed else job.config.folders.train
            what = f"{job.training.epochs} epochs, {where}"
        self.said.setText(
            f"Run {run} on {job.site.name}: {what}. "
            "Nothing is sent from here: the bundle’s README says what to copy and to type."  # noqa: RUF001
        )
        self.text.setPlainText(text)
